package io.daosmesh.management.pool;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.wire.LogCommand;
import io.daosmesh.model.wire.LogCommand.CommandCase;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/**
 * How much the service of one pool keeps for its users: each replica holds it in memory, writes it out with each snapshot and
 * sends it to each new one. Asked before a command is proposed and not when it is applied: what a log holds is carried out.
 * Pure.
 */
public final class PoolBudget {
    /** The most containers with 2 KiB each. */
    public static final long BYTES_MAX = Containers.CONTAINERS_MAX * 2048L;

    /** What heals, shrinks or counts must go through in a full pool as well; a kind of command that is not named takes room. */
    private static final Set<CommandCase> ALWAYS = EnumSet.of(
            CommandCase.POOL_INIT,
            CommandCase.TARGETS,
            CommandCase.REBUILD_DONE,
            CommandCase.NEXT_GENERATION,
            CommandCase.REBUILD,
            CommandCase.CONTAINER_DESTROY,
            CommandCase.CONTAINER_GONE,
            CommandCase.CONTAINER_DROPPED,
            CommandCase.OID_TAKE,
            CommandCase.SERVICE_RANKS,
            CommandCase.REPLICA_GONE,
            CommandCase.POOL_CONNECT,
            CommandCase.CONTAINER_OPEN,
            CommandCase.HANDLES_END);

    private PoolBudget() {}

    /** Bytes by which the command may let the state grow. */
    public static long growth(LogCommand c) {
        return ALWAYS.contains(c.getCommandCase()) ? 0 : c.getSerializedSize();
    }

    /**
     * OVERFLOW when there is no room for the command; one that has been done already needs none.
     *
     * @param underWayBytes growth of all commands that are proposed and not applied yet, this one included
     */
    public static Optional<Fault> refusal(PoolDb db, LogCommand c, long underWayBytes) {
        if (growth(c) == 0 || !db.isMade() || db.keptBytes() + underWayBytes <= BYTES_MAX) return Optional.empty();
        if (db.outcome(c.getRequestId()).isPresent()) return Optional.empty();
        return Optional.of(Fault.of(
                        FaultCode.OVERFLOW,
                        "the service of the pool keeps %d bytes of at most %d for its containers",
                        db.keptBytes(),
                        BYTES_MAX)
                .remedy("destroy containers that nobody needs, or make another pool"));
    }
}
