package io.daosmesh.management.raft;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.wire.LogCommand;
import io.daosmesh.model.wire.LogReply;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import reactor.core.publisher.Mono;

/**
 * This node's replica of one Raft group, as the rest of management sees it: the library behind it stays behind it. Any
 * thread.
 */
public interface RaftGroup {
    /**
     * Replicates and applies a command. Faults: OVERFLOW for one that is too large for the log, of which nothing is sent; what the
     * state machine refused; NOTLEADER with {@code leader=}; AGAIN, TIMEDOUT. After the last three the command may still be applied: repeat it with the same request id.
     */
    Mono<LogReply> propose(LogCommand command, Duration deadline);

    /** OVERFLOW for a command that no log takes; for those who can say earlier that it will not do. */
    static void checkSize(LogCommand command) {
        int bytes = command.getSerializedSize();
        if (bytes > RatisSettings.COMMAND_BYTES_MAX) {
            throw Fault.of(
                            FaultCode.OVERFLOW,
                            "%s of %d bytes is more than the %d that a log entry takes",
                            command.getCommandCase().name().toLowerCase(Locale.ROOT),
                            bytes,
                            RatisSettings.COMMAND_BYTES_MAX)
                    .asException();
        }
    }

    /**
     * Completes when the local state machine holds everything that was acknowledged before the call. Faults: NOTLEADER; TIMEDOUT
     * when no majority of the voters could be asked.
     */
    Mono<Void> barrier(Duration deadline);

    /** Leader of a term whose earlier entries it has applied. */
    boolean isLeader();

    /** Control address of the leader as far as known. */
    Optional<String> leader();

    /** Milliseconds since a follower has heard its leader; 0 for every other role. */
    long leaderUnheardMs();

    long term();

    /** Control addresses. */
    List<String> peers();

    /** Control addresses of the voters; empty while they are being changed. */
    Optional<List<String>> members();

    /**
     * Changes the voters. One that is new is begun on its node first, with an identity of its own, and gets the state before it
     * votes. Faults: NOTLEADER, AGAIN, TIMEDOUT, those of the nodes.
     *
     * @param next control addresses
     * @param anew of {@code next}: voters that are not what they were; they are put out first, so that what is there now is never
     *     counted as the one that has voted
     */
    Mono<Void> changeMembers(List<String> next, Set<String> anew, Duration deadline);

    /**
     * Of the voters that have not been heard of late those whose nodes answer all the same: they have no replica of the group, or
     * another one than the voters know. Empty where it does not lead.
     */
    Mono<List<String>> lostVoters();

    Mono<Void> transferLeadership(String peer, Duration deadline);

    /**
     * Asks to lead at once if the dead node is the leader as far as this replica knows, and this node is the first of the living
     * voters; otherwise does nothing, and the election timeout remains. It is a candidacy as any other: a higher term, which a
     * majority has to vote for, with the newest log of that majority. So a false report costs an election and nothing else. May
     * be called on any thread; the work, which waits for the disk, is done on the Raft scheduler. Faults: NOTREPLICA, AGAIN.
     *
     * @param dead control address
     * @param living control addresses of the nodes that may lead
     * @return whether this replica has asked
     */
    Mono<Boolean> electInsteadOf(String dead, Set<String> living);

    /** Index of the snapshot. */
    Mono<Long> snapshot(Duration deadline);
}
