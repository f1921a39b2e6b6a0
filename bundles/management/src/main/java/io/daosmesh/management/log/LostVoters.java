package io.daosmesh.management.log;

import java.util.Collection;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * Which voters of a group have lost their logs: those that were found so twice in a row, since a node that is just being closed or
 * opened may say so once. Pure. Owner: management loop of the leader.
 */
public final class LostVoters {
    private final SortedSet<String> once = new TreeSet<>();
    private final SortedSet<String> twice = new TreeSet<>();

    /** @param lost addresses, at one look */
    public void onLook(Collection<String> lost) {
        twice.retainAll(lost);
        lost.stream().filter(once::contains).forEach(twice::add);
        once.clear();
        once.addAll(lost);
    }

    /** The first of these, once: whatever comes of it has to be seen anew. */
    public Optional<String> next(Collection<String> voters) {
        Optional<String> first = twice.stream().filter(voters::contains).findFirst();
        if (first.isPresent()) forget();
        return first;
    }

    public void forget() {
        once.clear();
        twice.clear();
    }
}
