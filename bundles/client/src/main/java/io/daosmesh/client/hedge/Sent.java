package io.daosmesh.client.hedge;

import org.jspecify.annotations.Nullable;

/** One try of a request, for whoever watches it. Any thread. */
public interface Sent {
    /** Who is asked. */
    int rank();

    /** Of the pool map by which the rank was chosen. */
    int mapVersion();

    /** Of a read by its leader, which others are compared with; null = another request. */
    Hedging.@Nullable Kind kind();

    /** True if by the newest map known another rank is to be asked. */
    boolean isOutdated();

    /** Fetches the newest map, unless that is under way; whoever calls it does not wait. */
    void look();
}
