package io.daosmesh.management.system;

import java.util.Collection;
import java.util.Optional;
import java.util.TreeSet;

/**
 * Who may begin a system. One access point, the first by address, and only on storage that has never been in a system; that no
 * other access point has a replica it has to hear from each of them. Everybody else is let in by the leader. So an access point that
 * has lost its log never begins a system beside the one that it was in. Pure.
 */
public final class SystemBeginning {
    /**
     * What an access point without a replica sees of itself.
     *
     * @param replicas the access points
     * @param hasForgotten a replica was begun here, and its log is gone
     * @param isOfSystem its storage says that it has a rank, or that it replaces a lost one
     */
    public record Seen(String address, Collection<String> replicas, boolean hasForgotten, boolean isOfSystem) {}

    private SystemBeginning() {}

    /** Empty: it may ask the others whether they have a replica, and begin if none has. */
    public static Optional<String> refusal(Seen seen) {
        if (seen.hasForgotten || seen.isOfSystem) {
            String lost = "the log of the management service on " + seen.address + " is lost";
            return Optional.of(
                    seen.replicas.size() == 1
                            ? lost
                                    + ", and there is no other replica: restore control_metadata from a copy, or empty it and scm_mount on all nodes"
                            : lost + ": it gets it from the other access points, a majority of which has to be there");
        }
        String first = new TreeSet<>(seen.replicas).first();
        if (first.equals(seen.address)) return Optional.empty();
        return Optional.of("the management service has not begun here: " + first
                + " begins it, once every access point of " + new TreeSet<>(seen.replicas) + " is formatted and runs");
    }
}
