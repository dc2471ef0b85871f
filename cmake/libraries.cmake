# Every library from outside is one target here, named as cmake/layers.cmake uses it.
find_package(PkgConfig REQUIRED)

function(outside NAME)
  add_library(outside_${NAME} INTERFACE)
  target_link_libraries(outside_${NAME} INTERFACE ${ARGN})
endfunction()

find_package(OpenSSL 3.0 REQUIRED)
outside(openssl OpenSSL::SSL OpenSSL::Crypto)
outside(cap cap)
outside(seccomp seccomp)
outside(event_core event_core)
outside(lmdb lmdb)
outside(crypt crypt)
find_library(PAM_LIBRARY pam REQUIRED) # by path: a program of ours has that name
outside(pam ${PAM_LIBRARY})
if(POSTRIDER_SANITIZE)
  # The sanitizer stands in front of crypt(), which a module loads later: it must find the real one at start.
  target_link_libraries(outside_pam INTERFACE -Wl,--push-state,--no-as-needed crypt -Wl,--pop-state)
endif()
outside(jansson jansson)

pkg_check_modules(PCRE2 REQUIRED libpcre2-8)
if(POSTRIDER_BDB)
  find_path(BDB_INCLUDE db.h REQUIRED)
  find_library(BDB_LIBRARY NAMES db-5.3 db REQUIRED)
  add_compile_definitions(POSTRIDER_BDB=1)
  outside(tables ${PCRE2_LIBRARIES} lmdb ${BDB_LIBRARY})
else()
  outside(tables ${PCRE2_LIBRARIES} lmdb)
endif()
