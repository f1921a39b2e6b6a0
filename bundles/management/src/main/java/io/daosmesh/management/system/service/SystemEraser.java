package io.daosmesh.management.system.service;

import io.daosmesh.management.loop.NodeContext;
import io.daosmesh.management.system.ErasePlan;
import io.daosmesh.management.system.SystemDb;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Registrations;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.EraseNodeRequest;
import io.daosmesh.model.wire.EraseNodeRequest.Phase;
import io.daosmesh.model.wire.SystemEraseReply;
import io.daosmesh.model.wire.SystemEraseRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * {@code dmg system erase}, in two phases over all nodes: each first writes down that it is to be erased and closes its Raft logs;
 * only when all have is the first one wiped. So no log of the old system can ever meet a new one, and whoever has written it down
 * can finish what a crash has interrupted. Nodes without a replica of the system database go first. Any thread.
 */
public final class SystemEraser {
    private static final Logger LOG = LoggerFactory.getLogger(SystemEraser.class);
    private static final Duration NODE_MAX = Duration.ofSeconds(8);
    private static final int AT_ONCE_MAX = 64;

    private final NodeContext node;
    private final SystemService system;
    private final Local local;

    /** This node's own part. */
    public interface Local {
        /** What this node has written down; empty when it is not to be erased. */
        Optional<EraseNodeRequest> plan();

        Mono<Empty> apply(EraseNodeRequest r);
    }

    private record Told(String address, Optional<Fault> fault) {}

    public SystemEraser(NodeContext node, SystemService system, Local local) {
        this.node = node;
        this.system = system;
        this.local = local;
    }

    public void register(Registrations r) {
        r.on(RpcMethod.SYSTEM_ERASE, SystemEraseRequest.parser(), this::erase);
    }

    /** The leader begins; any replica that has it written down goes on. */
    private Mono<SystemEraseReply> erase(SystemEraseRequest r) {
        if (!node.config().isReplica()) return Mono.error(system.notLeader().asException());
        Optional<EraseNodeRequest> begun = local.plan();
        if (begun.isPresent()) return carryOut(begun.get(), false);
        return system.read(SystemDb::groupMap)
                .map(map -> ErasePlan.of(map, node.config().replicas(), UUID.randomUUID()))
                .flatMap(plan -> carryOut(plan, true));
    }

    private Mono<SystemEraseReply> carryOut(EraseNodeRequest plan, boolean isFresh) {
        List<String> others = others(plan.getNodesList());
        LOG.warn("the system {} is to be erased on {}", node.config().system(), plan.getNodesList());
        return tell(others, plan, Phase.PREPARE)
                .flatMap(all -> mustAll("be prepared", all))
                .then(tell(others(plan.getAbsenteesList()), plan, Phase.PREPARE))
                .flatMap(more -> mayMiss(more)
                        .flatMap(present -> local.apply(in(plan, Phase.PREPARE)).thenReturn(present)))
                .onErrorResume(e -> (isFresh ? cancel(plan) : Mono.<Boolean>just(true)).then(Mono.error(e)))
                .flatMap(present -> commit(plan, others, present));
    }

    /** Those that have answered. */
    private static Mono<List<String>> mayMiss(List<Told> absentees) {
        List<String> present = new ArrayList<>();
        for (Told t : absentees) {
            FaultCode code = t.fault().map(Fault::code).orElse(null);
            if (code == FaultCode.UNREACH || code == FaultCode.TIMEDOUT) continue;
            if (t.fault().isPresent()) return Mono.error(failed("be prepared", t));
            present.add(t.address());
        }
        return Mono.just(present);
    }

    private Mono<SystemEraseReply> commit(EraseNodeRequest plan, List<String> others, List<String> present) {
        List<String> replicas = node.config().replicas();
        List<String> first = new ArrayList<>(present);
        others.stream().filter(a -> !replicas.contains(a)).forEach(first::add);
        List<String> last = others.stream().filter(replicas::contains).toList();
        return tell(first, plan, Phase.COMMIT)
                .flatMap(all -> mustAll("be wiped", all))
                .then(Mono.defer(() -> tell(last, plan, Phase.COMMIT)))
                .flatMap(all -> mustAll("be wiped", all))
                .then(Mono.defer(() -> local.apply(in(plan, Phase.COMMIT))))
                .thenReturn(SystemEraseReply.newBuilder()
                        .addAllNodes(plan.getNodesList())
                        .addAllNodes(present)
                        .addAllAbsentNodes(plan.getAbsenteesList().stream()
                                .filter(a -> !present.contains(a))
                                .toList())
                        .build());
    }

    /** Best effort: a node that does not hear of it is told when its ranks are started. */
    private Mono<Boolean> cancel(EraseNodeRequest plan) {
        List<String> all = new ArrayList<>(others(plan.getNodesList()));
        all.addAll(others(plan.getAbsenteesList()));
        return tell(all, plan, Phase.CANCEL)
                .then(local.apply(in(plan, Phase.CANCEL)).onErrorResume(e -> Mono.empty()))
                .thenReturn(true);
    }

    private List<String> others(List<String> addresses) {
        return addresses.stream().filter(a -> !a.equals(node.address())).toList();
    }

    private static EraseNodeRequest in(EraseNodeRequest plan, Phase phase) {
        return plan.toBuilder().setPhase(phase).build();
    }

    private Mono<List<Told>> tell(List<String> addresses, EraseNodeRequest plan, Phase phase) {
        RpcMessage message = RpcMessage.of(in(plan, phase));
        return Flux.fromIterable(addresses)
                .flatMap(
                        a -> node.rpc()
                                .call(Endpoint.node(a), RpcMethod.ERASE_NODE, message, NODE_MAX, r -> true)
                                .map(ok -> new Told(a, Optional.empty()))
                                .onErrorResume(e -> Mono.just(new Told(a, Optional.of(FaultException.faultOf(e))))),
                        AT_ONCE_MAX)
                .collectList();
    }

    private static Mono<Boolean> mustAll(String what, List<Told> told) {
        return told.stream()
                .filter(t -> t.fault().isPresent())
                .findFirst()
                .<Mono<Boolean>>map(t -> Mono.error(failed(what, t)))
                .orElseGet(() -> Mono.just(true));
    }

    private static FaultException failed(String what, Told t) {
        Fault f = t.fault().orElseThrow();
        // a code that nobody tries again by himself
        return Fault.of(
                        FaultCode.OP_CANCELED,
                        "node %s could not %s: %s",
                        t.address(),
                        what,
                        f.text().isEmpty() ? f.code().meaning() : f.text())
                .remedy("every node of the system must answer: see to this one, then run dmg system erase again")
                .asException();
    }
}
