package io.daosmesh.management.raft;

import java.util.List;
import java.util.Set;
import java.util.UUID;
import reactor.core.publisher.Flux;

/** The Raft groups of this node. Any thread that may block: adding, removing and closing wait for the disk. */
public interface RaftHost extends AutoCloseable {
    /** Starts the replica of a group, from what is on disk if anything is; the same again returns the running one. */
    RaftGroup add(UUID group, List<String> peers);

    RaftGroup group(UUID group);

    /** Groups on this node, reopened ones included. */
    Set<UUID> groups();

    /**
     * {@link RaftGroup#electInsteadOf} in every group of this node, several at once. Any thread. Emits the groups in which this
     * node has asked to lead; cancelling it stops nothing that has begun.
     */
    Flux<UUID> electInsteadOf(String dead, Set<String> living);

    void remove(UUID group, boolean deleteData);

    @Override
    void close();
}
