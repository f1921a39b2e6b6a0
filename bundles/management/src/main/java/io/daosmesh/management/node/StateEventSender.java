package io.daosmesh.management.node;

import io.daosmesh.management.loop.LeaderCaller;
import io.daosmesh.management.loop.NodeContext;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.port.StateEvents;
import io.daosmesh.model.ras.RasId;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.RasEventMessage;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries events that an engine has died or asserted to the leader of the management service, again until it has them. What gossip
 * and the pool services see reaches it in reports of their own. Owner: management loop; events may come on any thread.
 */
final class StateEventSender implements StateEvents {
    private static final Logger LOG = LoggerFactory.getLogger(StateEventSender.class);
    private static final Set<String> SENT = Set.of(RasId.ENGINE_DIED.label(), RasId.ENGINE_ASSERTED.label());
    private static final Duration ONE_TRY = Duration.ofSeconds(2);
    private static final Duration ALL_TRIES = Duration.ofSeconds(10);
    private static final Duration PAUSE = Duration.ofSeconds(2);
    /** Engines of a node times what can happen to them: more are the same news. */
    private static final int WAITING_MAX = 64;

    private final NodeContext node;
    private final LeaderCaller leaders;
    /** By what they tell: the same of the same life of a rank is one. */
    private final Map<String, RasEventMessage> waiting = new LinkedHashMap<>();

    StateEventSender(NodeContext node, LeaderCaller leaders) {
        this.node = node;
        this.leaders = leaders;
    }

    @Override
    public void onStateChange(RasEventMessage event) {
        if (!SENT.contains(event.getId())) return;
        node.loop().run(() -> add(event));
    }

    private void add(RasEventMessage event) {
        String key =
                event.getId() + ":" + event.getFieldsOrDefault("rank", "") + ":" + event.getFieldsOrDefault("inc", "");
        if (waiting.size() >= WAITING_MAX || waiting.putIfAbsent(key, event) != null) return;
        send(key, event);
    }

    private void send(String key, RasEventMessage event) {
        leaders.call(RpcMethod.STATE_EVENT, event, Empty.parser(), ONE_TRY, ALL_TRIES)
                .publishOn(node.loop().scheduler())
                .subscribe(ok -> waiting.remove(key), e -> onUnheard(key, event, FaultException.faultOf(e)));
    }

    private void onUnheard(String key, RasEventMessage event, Fault why) {
        boolean isRefused = why.code() == FaultCode.NO_PERM || why.code() == FaultCode.INVAL;
        LOG.debug("event {} is not heard: {}", key, why.message());
        if (isRefused) waiting.remove(key);
        else node.loop().after(PAUSE, () -> send(key, event));
    }
}
