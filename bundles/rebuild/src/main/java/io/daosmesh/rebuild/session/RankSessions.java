package io.daosmesh.rebuild.session;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.rebuild.plan.Session;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Supplier;

/**
 * The rebuilds that a rank takes part in: one session a pool, the newest wins. A session does not need to be told its end, which
 * may get lost: it ends with the next map of its pool, with the pool, and when its leader says nothing any more. Owner: rebuild
 * loop. Pure.
 */
public final class RankSessions {
    /** As many as a rank has pools. */
    static final int SESSIONS_MAX = 1_000;

    /** Twice as long as a leader waits for progress: it has given up, or somebody else leads. It asks several times a second. */
    static final long SILENT_MAX_NS = 120_000_000_000L;

    private final int rank;
    private final Map<UUID, Running> byPool = new HashMap<>();

    private static final class Running {
        final RankSession session;
        long heardNs;

        Running(RankSession session, long nowNs) {
            this.session = session;
            this.heardNs = nowNs;
        }
    }

    public RankSessions(int rank) {
        this.rank = rank;
    }

    /** Replaces an older session; STALE when a newer one runs, BUSY when there are too many. Again changes nothing. */
    public void admit(Session wanted, long nowNs, Supplier<RankSession> opened) {
        Running running = byPool.get(wanted.pool());
        if (running == null && byPool.size() >= SESSIONS_MAX) {
            throw Fault.of(FaultCode.BUSY, "rank %d takes part in %d rebuilds", rank, byPool.size())
                    .asException();
        }
        if (running != null && running.session.session().equals(wanted)) {
            running.heardNs = nowNs;
            return;
        }
        if (running != null && running.session.session().isNewerThan(wanted)) {
            throw Fault.of(FaultCode.STALE, "a newer rebuild session of pool %s runs here", wanted.pool())
                    .asException();
        }
        if (running != null) running.session.close();
        byPool.put(wanted.pool(), new Running(opened.get(), nowNs));
    }

    /** NONEXIST when it does not run here. */
    public RankSession of(Session wanted) {
        return running(wanted).session;
    }

    /** The same for what its leader asks. */
    public RankSession heard(Session wanted, long nowNs) {
        Running r = running(wanted);
        r.heardNs = nowNs;
        return r.session;
    }

    private Running running(Session wanted) {
        Running r = byPool.get(wanted.pool());
        if (r == null || !r.session.session().equals(wanted)) {
            throw Fault.of(FaultCode.NONEXIST, "rank %d has no such rebuild session", rank)
                    .asException();
        }
        return r;
    }

    /** False when it does not run here: it has ended already. */
    public boolean finish(Session wanted) {
        Running r = byPool.get(wanted.pool());
        if (r == null || !r.session.session().equals(wanted)) return false;
        end(wanted.pool(), r);
        return true;
    }

    /** Whoever leads the pool now is done with older maps; true if a session has ended by it. */
    public boolean onMap(UUID pool, int version) {
        Running r = byPool.get(pool);
        if (r == null || r.session.session().version() >= version) return false;
        end(pool, r);
        return true;
    }

    public void onPoolGone(UUID pool) {
        Running r = byPool.get(pool);
        if (r != null) end(pool, r);
    }

    private void end(UUID pool, Running r) {
        byPool.remove(pool);
        r.session.close();
    }

    public void onTick(long nowNs) {
        for (Iterator<Running> i = byPool.values().iterator(); i.hasNext(); ) {
            Running r = i.next();
            if (nowNs - r.heardNs <= SILENT_MAX_NS) continue;
            i.remove();
            r.session.close();
        }
    }

    public List<RankSession> all() {
        return byPool.values().stream().map(r -> r.session).toList();
    }

    /** Ends every session; what was under way is told an error, never success. */
    public void close() {
        all().forEach(RankSession::close);
        byPool.clear();
    }
}
