/* master: spawns all processes, binds all ports, passes descriptors, restarts what ends. It parses configuration alone. */
#include "base/num.h"
#include "master/master.h"
#include "os/become.h"
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const contract master_contract = {
    .role = "master",
    .root = ROOT_HOST,
    .caps = CAPS_SETUID | CAPS_SETGID | CAPS_SETPCAP | CAPS_CHROOT | CAPS_BIND | CAPS_KILL,
    .calls = CALLS_ANY,
    .files = FILES_UNLIMITED,
    .limits = { .open_files = 65536 },
    .peers = "ctl and every process",
};

static fault confine(const master *m)
{
    identity id = { .is_privileged = m->is_privileged, .root_fd = -1 };
    return become(&master_contract, &id);
}

static size_t cpus_usable(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? (size_t)CPU_COUNT(&set) : 1;
}

static bool arguments_read(master *m, int argc, char **argv)
{
    uint64_t fd;
    int c;
    while ((c = getopt(argc, argv, "C:r:s")) != -1) {
        if (c == 'C')
            m->directory = optarg;
        else if (c == 's')
            m->requires_sandbox = true;
        else if (c == 'r' && num_parse(str_c(optarg), 3, 1000, &fd))
            m->ready_fd = (int)fd;
        else
            return false;
    }
    return optind == argc;
}

/* Each step says what is wrong; the exit status names the step. Usually run by `postrider start`. */
int main(int argc, char **argv)
{
    master m = { .directory = DEFAULT_CONFIG_DIRECTORY,
                 .ready_fd = -1,
                 .lock_fd = -1,
                 .log_fd = -1,
                 .tickets_fd = -1,
                 .login_tickets_fd = -1,
                 .cpus = cpus_usable(),
                 .spawn = spawn,
                 .is_privileged = geteuid() == 0 };
    if (!arguments_read(&m, argc, argv)) {
        fputs("usage: master [-C config_directory] [-r ready_fd] [-s]\n", stderr);
        return 64;
    }
    umask(077);
    m.loop = loop_new();
    if (is_fault(master_complain(master_configuration_load(&m))))
        return 2;
    if (is_fault(master_complain(master_tickets_make(&m))))
        return 3;
    if (is_fault(master_complain(master_places_make(&m))))
        return 3;
    if (is_fault(master_complain(master_sockets_bind(&m))))
        return 4;
    if (is_fault(master_complain(confine(&m))))
        return 5;
    master_work(&m);
    return 0;
}
