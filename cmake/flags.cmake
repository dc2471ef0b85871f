set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)

add_compile_definitions(_GNU_SOURCE)
add_compile_options(-Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wvla -Wformat=2 -Werror
                    -fno-common -fno-strict-aliasing -g)
include_directories(${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/lib)

# assert() stays in every build: it guards against our own bugs (STYLE 13), and fuzzers find what it says.
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELWITHDEBINFO "${CMAKE_C_FLAGS_RELWITHDEBINFO}")

if(POSTRIDER_SANITIZE)
  add_compile_options(-fsanitize=${POSTRIDER_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${POSTRIDER_SANITIZE})
  add_compile_definitions(POSTRIDER_SANITIZED=1)
endif()

if(POSTRIDER_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

if(POSTRIDER_COVERAGE)
  add_compile_options(--coverage)
  add_link_options(--coverage)
endif()

if(POSTRIDER_HARDEN)
  include(CheckCCompilerFlag)
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection
                      -fcf-protection -fPIE)
  check_c_compiler_flag(-ftrivial-auto-var-init=zero POSTRIDER_HAS_AUTO_INIT) # clang 14 refuses it
  if(POSTRIDER_HAS_AUTO_INIT)
    add_compile_options(-ftrivial-auto-var-init=zero)
  endif()
  add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack)
else()
  add_compile_options(-fPIE)
endif()
