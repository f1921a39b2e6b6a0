package io.daosmesh.agent;

import java.time.Duration;

/**
 * Bounds of what the processes of a machine may take of their agent. Immutable.
 *
 * @param connectionsMax of all users together; each is one file descriptor
 * @param perUserMax of one user: more processes than a large node has threads
 * @param scarceFrom with so many connections open, only users with few get another
 * @param perUserWhenScarceMax how many few are
 * @param bufferedBytesPerUserMax what half messages of one user may hold
 * @param silence how long a connection may do nothing at its start, and how long one message may take either way
 * @param handlesPerConnectionMax open pool handles of one process
 * @param handlesPerUserMax open pool handles of one user
 */
public record AgentLimits(
        int connectionsMax,
        int perUserMax,
        int scarceFrom,
        int perUserWhenScarceMax,
        int bufferedBytesPerUserMax,
        Duration silence,
        int handlesPerConnectionMax,
        int handlesPerUserMax) {

    /** Longest message of either side. */
    public static final int MESSAGE_BYTES_MAX = 64 << 10;

    public static AgentLimits standard() {
        return new AgentLimits(4096, 1024, 3072, 64, 1 << 20, Duration.ofSeconds(10), 1024, 8192);
    }
}
