/* CRC-32C (Castagnoli), as RFC 3720 B.4 has it: of queue files. Start with 0; feed what was returned to go on. */
#pragma once
#include "base/str.h"

uint32_t checksum(uint32_t before, str bytes);
