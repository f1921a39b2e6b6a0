package io.daosmesh.agent;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Counts connections and bytes of each user, so that none takes all. Owner: the server's loop. */
final class Admission {
    private final AgentLimits limits;
    private final Map<String, Share> shares = new HashMap<>();
    private int connectionCount;

    private static final class Share {
        private int connectionCount;
        private int bufferedBytes;
    }

    Admission(AgentLimits limits) {
        this.limits = limits;
    }

    /** Nothing when it may stay: it is counted then. */
    Optional<Fault> enter(String user) {
        Share share = shares.get(user);
        int own = share == null ? 0 : share.connectionCount;
        int max = connectionCount >= limits.scarceFrom() ? limits.perUserWhenScarceMax() : limits.perUserMax();
        if (own >= max || connectionCount >= limits.connectionsMax()) {
            return Optional.of(Fault.of(FaultCode.BUSY, "daos_agent has too many connections of user %s", user)
                    .with("max", Math.min(max, limits.connectionsMax()))
                    .remedy("run fewer processes of this user on this machine at a time"));
        }
        Share entered = share == null ? new Share() : share;
        shares.put(user, entered);
        entered.connectionCount++;
        connectionCount++;
        return Optional.empty();
    }

    /** False when the user's half messages fill too much. */
    boolean buffered(@Nullable Caller caller, int changeBytes) {
        Share share = caller == null ? null : shares.get(caller.user());
        if (share == null) return true;
        share.bufferedBytes += changeBytes;
        return share.bufferedBytes <= limits.bufferedBytesPerUserMax();
    }

    void leave(String user, int bufferedBytes) {
        Share share = shares.get(user);
        if (share == null) return;
        connectionCount--;
        share.bufferedBytes -= bufferedBytes;
        if (--share.connectionCount == 0) shares.remove(user);
    }
}
