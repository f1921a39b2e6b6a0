package io.daosmesh.engine.vos;

import java.util.Set;

/** Which records are not committed yet. Owner: target loop. */
@FunctionalInterface
public interface Prepared {
    Prepared NONE = scope -> Set.of();

    /** @param scope prefix of a dkey, or where the punches of a group lie */
    Set<Long> epochs(byte[] scope);
}
