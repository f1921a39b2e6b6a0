package io.daosmesh.rebuild.session;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.rebuild.plan.Session;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Supplier;

/** The rebuilds that a rank takes part in: one session a pool, the newest wins. Owner: rebuild loop. Pure. */
public final class RankSessions {
    private final int rank;
    private final Map<UUID, RankSession> byPool = new LinkedHashMap<>();

    public RankSessions(int rank) {
        this.rank = rank;
    }

    /** Replaces an older session; STALE when a newer one runs. Again changes nothing. */
    public void admit(Session wanted, Supplier<RankSession> opened) {
        RankSession running = byPool.get(wanted.pool());
        if (running != null && running.session().equals(wanted)) return;
        if (running != null && running.session().isNewerThan(wanted)) {
            throw Fault.of(FaultCode.STALE, "a newer rebuild session of pool %s runs here", wanted.pool())
                    .asException();
        }
        if (running != null) running.close();
        byPool.put(wanted.pool(), opened.get());
    }

    /** NONEXIST when it does not run here. */
    public RankSession of(Session wanted) {
        RankSession s = byPool.get(wanted.pool());
        if (s == null || !s.session().equals(wanted)) {
            throw Fault.of(FaultCode.NONEXIST, "rank %d has no such rebuild session", rank)
                    .asException();
        }
        return s;
    }

    /** Ends one; NONEXIST when it does not run here. */
    public void finish(Session wanted) {
        of(wanted).close();
        byPool.remove(wanted.pool());
    }

    public Collection<RankSession> all() {
        return List.copyOf(byPool.values());
    }

    /** Ends every session; what was under way is told an error, never success. */
    public void close() {
        byPool.values().forEach(RankSession::close);
        byPool.clear();
    }
}
