package io.daosmesh.management.raft;

import java.util.List;
import java.util.Set;
import java.util.UUID;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** The Raft groups of this node. Any thread that may block: adding, removing and closing wait for the disk. */
public interface RaftHost extends AutoCloseable {
    /**
     * Starts the replica of a group that has not been there; the same again returns the running one.
     *
     * @param identity of the replica here
     * @param voters of the group; this node among them if it is to vote from the beginning
     */
    RaftGroup add(UUID group, String identity, List<Voter> voters);

    /** A replica was begun here, and its log is gone: nobody but the others may have it begin again. */
    boolean hasForgotten(UUID group);

    /** A group is being added or removed: what is here is known in a moment. */
    boolean isChanging();

    /** The replica here knows of voters: it is more than the folder of one that was killed at its first start. */
    boolean holds(UUID group);

    /** Whether the node there has a replica that votes. Faults when it does not say. Any thread. */
    Mono<Boolean> holds(UUID group, String address);

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
