package io.daosmesh.engine.object;

import io.daosmesh.engine.vos.VosRecord;
import io.daosmesh.storage.kv.KvCursor;
import io.daosmesh.storage.kv.KvRange;
import io.daosmesh.storage.kv.KvReader;

/** Looks for the trace of an update in the records of a dkey. Owner: target loop. */
final class RecordSearch {
    private RecordSearch() {}

    static boolean hasEpoch(KvReader kv, byte[] scope, long epoch, int entriesMax) {
        try (KvCursor c = kv.cursor(KvRange.prefix(scope))) {
            for (int i = 0; i < entriesMax && c.next(); i++) {
                if (VosRecord.decode(c.key(), c.value()).epoch() == epoch) return true;
            }
            return false;
        }
    }
}
