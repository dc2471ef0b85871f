/* Indexed tables (hash, btree, lmdb) made from their text source, looked into, and turned into one another. Runs in:
 * the postrider command and newaliases. An index is written under another name in the same folder, made durable and
 * renamed, so that readers see the old one or the new one; it has owner and mode of its source. */
#pragma once
#include "base/buf.h"
#include "db/source.h"
#include "db/table.h"

/* Builds "type:name" from the text file `name`. Mistakes and doubles are in *ps with file and line; one error there,
 * and the index stays as it was: FAULT_REFUSED, as for types without an index. FAULT_TRY_LATER: input or output failed.
 */
fault map_build(str spec, source_format format, const table_context *context, problems *ps, size_t *out_count);

/* Whether the index is missing or older than its source. False for types that have none. */
fault map_is_stale(str spec, const table_context *context, bool *out);

/* One entry. TABLE_ABSENT is not a fault. */
fault map_query(str spec, str key, const table_context *context, arena *mem, table_result *out, table_answer *answer);

/* Appends "key<tab>value" lines, sorted by key. FAULT_REFUSED: the type cannot be listed. */
fault map_dump(str spec, const table_context *context, buf *out);

/* Writes all entries of one table into the index of another: hash:/etc/x to lmdb:/etc/x. */
fault map_convert(str from, str to, const table_context *context, size_t *out_count);
