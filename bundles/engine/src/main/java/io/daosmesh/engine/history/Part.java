package io.daosmesh.engine.history;

import io.daosmesh.engine.vos.Keys;
import java.util.Arrays;
import java.util.List;

/**
 * Some dkeys of a group, or all of it. Immutable.
 *
 * @param group its prefix
 * @param dkeys the users' keys; empty = the whole group
 */
public record Part(byte[] group, List<byte[]> dkeys) {
    public boolean isWhole() {
        return dkeys.isEmpty();
    }

    /** What stands for it in a {@link ChangeLog} and in {@link Holdings}. */
    public List<byte[]> scopes() {
        return isWhole() ? List.of(Keys.punches(group)) : prefixes();
    }

    /** What all keys of its records begin with, in their order. */
    public List<byte[]> prefixes() {
        if (isWhole()) return List.of(group);
        return dkeys.stream()
                .map(d -> Keys.under(group, d))
                .sorted(Arrays::compareUnsigned)
                .toList();
    }
}
