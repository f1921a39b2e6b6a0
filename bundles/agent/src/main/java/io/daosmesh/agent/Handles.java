package io.daosmesh.agent;

import com.google.protobuf.ByteString;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.wire.AgentHandleMessage;
import io.daosmesh.model.wire.AgentHandlesMessage;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Pool handles that the processes of this machine say they have open. Owner: the server's loop. */
final class Handles {
    static final int ID_BYTES = 16;

    private final AgentLimits limits;
    private final Map<String, Integer> countOfUser = new HashMap<>();

    Handles(AgentLimits limits) {
        this.limits = limits;
    }

    OfProcess newProcess() {
        return new OfProcess();
    }

    /** One connection's. */
    static final class OfProcess {
        /** Handle to pool. */
        private final Map<ByteString, ByteString> open = new LinkedHashMap<>();
    }

    /** Telling twice is no mistake: who lost the connection tells again. BUSY at a limit, INVAL for what is no handle. */
    void opened(Caller caller, OfProcess process, AgentHandlesMessage told) {
        check(told);
        for (AgentHandleMessage handle : told.getHandlesList()) {
            if (process.open.containsKey(handle.getHandle())) continue;
            int ofUser = countOfUser.getOrDefault(caller.user(), 0);
            if (process.open.size() >= limits.handlesPerConnectionMax() || ofUser >= limits.handlesPerUserMax()) {
                throw Fault.of(FaultCode.BUSY, "too many open pool handles")
                        .with("per_process_max", limits.handlesPerConnectionMax())
                        .with("per_user_max", limits.handlesPerUserMax())
                        .remedy("disconnect pools that are not used any more")
                        .asException();
            }
            process.open.put(handle.getHandle(), handle.getPool());
            countOfUser.put(caller.user(), ofUser + 1);
        }
    }

    /** One that is not there was closed before. */
    void closed(Caller caller, OfProcess process, AgentHandlesMessage told) {
        check(told);
        for (AgentHandleMessage handle : told.getHandlesList()) {
            if (process.open.remove(handle.getHandle()) != null) release(caller.user(), 1);
        }
    }

    /** What is left of a process that has ended, by pool. It counts for the user until {@link #release}. */
    Map<ByteString, List<ByteString>> end(OfProcess process) {
        Map<ByteString, List<ByteString>> left = new LinkedHashMap<>();
        process.open.forEach((handle, pool) ->
                left.computeIfAbsent(pool, p -> new ArrayList<>()).add(handle));
        process.open.clear();
        return left;
    }

    /** So many have been evicted, or closed. */
    void release(String user, int count) {
        countOfUser.computeIfPresent(user, (name, had) -> had <= count ? null : had - count);
    }

    private void check(AgentHandlesMessage told) {
        boolean isWrong = told.getHandlesCount() > limits.handlesPerConnectionMax()
                || told.getHandlesList().stream()
                        .anyMatch(h ->
                                h.getPool().size() != ID_BYTES || h.getHandle().size() != ID_BYTES);
        if (isWrong)
            throw Fault.of(FaultCode.INVAL, "these are no pool handles").asException();
    }
}
