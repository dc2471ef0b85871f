/* Stands in for a transport that hands mail on to a host without DSN (RFC 3461 5.2.7): what local delivered was relayed. */
#include "ipc/talk/report.h"
#include "local/local.h"

void __real_job_end(job *j, fault outcome, uint32_t action, str reason);
void __wrap_job_end(job *j, fault outcome, uint32_t action, str reason);

void __wrap_job_end(job *j, fault outcome, uint32_t action, str reason)
{
    __real_job_end(j, outcome, is_fault(outcome) ? action : REPORT_RELAYED, reason);
}
