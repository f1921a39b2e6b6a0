package io.daosmesh.admin;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.wire.PoolEntryMessage;
import io.daosmesh.model.wire.PoolTargetsRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;

/**
 * Drains ranks of the system from every pool that has them, or takes them back into every pool that misses them: {@code dmg
 * system drain} and {@code reintegrate}. One pool that refuses does not keep the others. Source: daos-admin facts 4.5.
 */
public final class RankPools {
    private final AdminCalls calls;

    public RankPools(AdminCalls calls) {
        this.calls = calls;
    }

    /**
     * What became of one pool. Immutable.
     *
     * @param pool label, or UUID where it has none
     * @param ranks those the operation was asked for; empty when the pool could not even be asked
     */
    public record Result(String pool, Set<Integer> ranks, Optional<Fault> error) {
        public Result {
            ranks = Set.copyOf(ranks);
        }
    }

    /** By pool. NONEXIST when there is no pool that the operation would change. */
    public List<Result> drain(Set<Integer> ranks) {
        return change(PoolTargetsRequest.Op.DRAIN, ranks, t -> t.state() == TargetState.UPIN);
    }

    /** By pool. NONEXIST when there is no pool that the operation would change. */
    public List<Result> reintegrate(Set<Integer> ranks) {
        return change(PoolTargetsRequest.Op.REINTEGRATE, ranks, t -> t.state().isDisabled());
    }

    private List<Result> change(PoolTargetsRequest.Op op, Set<Integer> ranks, Predicate<PoolTarget> concerned) {
        List<Result> results = new ArrayList<>();
        for (PoolEntryMessage entry : calls.poolList().getPoolsList()) {
            if (entry.getState() != PoolEntryMessage.State.READY) continue;
            String uuid = Ids.uuid(entry.getPool()).toString();
            String name = entry.getLabel().isEmpty() ? uuid : entry.getLabel();
            Set<Integer> own = new TreeSet<>();
            try {
                PoolMap map = PoolMap.fromWire(calls.poolQuery(uuid).getMap());
                for (PoolTarget t : map.targets()) {
                    if (ranks.contains(t.rank()) && concerned.test(t)) own.add(t.rank());
                }
                if (own.isEmpty()) continue;
                calls.poolTargets(uuid, op, List.copyOf(own), List.of(), false);
                results.add(new Result(name, own, Optional.empty()));
            } catch (FaultException e) {
                results.add(new Result(name, own, Optional.of(e.fault())));
            }
        }
        if (results.isEmpty()) {
            throw Fault.of(FaultCode.NONEXIST, "no pool-ranks found to operate on with request params")
                    .remedy("dmg pool query shows which ranks of a pool are enabled and disabled")
                    .asException();
        }
        return results;
    }
}
