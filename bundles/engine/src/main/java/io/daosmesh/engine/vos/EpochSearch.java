package io.daosmesh.engine.vos;

import io.daosmesh.storage.kv.KvCursor;
import io.daosmesh.storage.kv.KvRange;
import io.daosmesh.storage.kv.KvReader;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Looks for records of one epoch in a dkey, akey by akey: two look-ups for each, however many versions it has. Pure. */
public final class EpochSearch {
    private EpochSearch() {}

    /** @param next where to go on; null = found, or there is nothing more */
    public record Step(boolean isFound, byte @Nullable [] next) {}

    /**
     * @param scope prefix of the dkey
     * @param from the scope, or what the step before has given
     * @param akeysMax bounds the step
     */
    public static Step step(KvReader kv, byte[] scope, long epoch, byte[] from, int akeysMax) {
        byte[] at = from;
        try (KvCursor c = kv.cursor(KvRange.prefix(scope))) {
            for (int i = 0; i < akeysMax; i++) {
                c.seek(at);
                if (!c.next()) return new Step(false, null);
                int end = Keys.endOfKey(c.key(), scope.length);
                byte[] prefix = end < 0 ? Keys.punches(scope) : Arrays.copyOf(c.key(), end);
                byte[] wanted = Keys.atOrBelow(prefix, epoch);
                c.seek(wanted);
                if (c.next() && Keys.startsWith(c.key(), wanted)) return new Step(true, null);
                at = Keys.behind(prefix);
            }
        }
        return new Step(false, at);
    }
}
