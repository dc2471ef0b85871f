# layer(NAME [NEEDS lower layers] [LIBRARIES from outside]): lib/NAME/**.c as a static library.
function(layer NAME)
  cmake_parse_arguments(L "" "" "NEEDS;LIBRARIES" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/lib/${NAME}/*.c)
  if(NOT sources)
    add_library(${NAME} INTERFACE)
    set(kind INTERFACE)
  else()
    add_library(${NAME} STATIC ${sources})
    set(kind PUBLIC)
  endif()
  target_link_libraries(${NAME} ${kind} ${L_NEEDS})
  foreach(lib ${L_LIBRARIES})
    target_link_libraries(${NAME} ${kind} outside_${lib})
  endforeach()
endfunction()

# What a running suite consists of: t/instance builds this.
add_custom_target(suite)

# program(NAME NEEDS layers [WORKER layers [WORKER_LIBRARIES …]]): the executable of folder NAME/. Sources are NAME/*.c;
# with WORKER, NAME/worker/*.c become NAME-worker: static-pie in release, so that an idle one stays small (STORE), unless
# WORKER_IS_DYNAMIC says that it is a daemon of master's like others.
function(program NAME)
  cmake_parse_arguments(P "WORKER_IS_DYNAMIC" "" "NEEDS;LIBRARIES;WORKER;WORKER_LIBRARIES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${NAME}/*.c)
  if(sources)
    add_executable(${NAME} ${sources})
    target_link_libraries(${NAME} PRIVATE ${P_NEEDS})
    foreach(lib ${P_LIBRARIES})
      target_link_libraries(${NAME} PRIVATE outside_${lib})
    endforeach()
    set_target_properties(${NAME} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/libexec)
    target_link_options(${NAME} PRIVATE -pie)
    add_dependencies(suite ${NAME})
    # 0711: without read permission the kernel keeps the process undumpable across exec (CONFINEMENT, step 8).
    install(TARGETS ${NAME} DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/postrider
            PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_EXECUTE WORLD_EXECUTE)
  endif()

  file(GLOB worker CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${NAME}/worker/*.c)
  if(worker)
    add_executable(${NAME}-worker ${worker})
    target_link_libraries(${NAME}-worker PRIVATE ${P_WORKER})
    foreach(lib ${P_WORKER_LIBRARIES})
      target_link_libraries(${NAME}-worker PRIVATE outside_${lib})
    endforeach()
    add_dependencies(suite ${NAME}-worker)
    set_target_properties(${NAME}-worker PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/libexec)
    if(POSTRIDER_HARDEN AND NOT P_WORKER_IS_DYNAMIC)
      # Sorted: what is small stands together, apart from large buffers, so that an idle worker keeps fewer pages.
      target_link_options(${NAME}-worker PRIVATE -static-pie -Wl,--sort-section=alignment)
    else()
      target_link_options(${NAME}-worker PRIVATE -pie)
    endif()
    install(TARGETS ${NAME}-worker DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/postrider
            PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_EXECUTE WORLD_EXECUTE)
  endif()
endfunction()
