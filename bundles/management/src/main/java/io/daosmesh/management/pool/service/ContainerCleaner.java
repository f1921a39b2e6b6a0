package io.daosmesh.management.pool.service;

import io.daosmesh.management.loop.Loop;
import io.daosmesh.management.loop.NodeContext;
import io.daosmesh.management.pool.PoolDb;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.port.Endpoint;
import io.daosmesh.model.port.RpcMessage;
import io.daosmesh.model.port.RpcMethod;
import io.daosmesh.model.wire.ContainerDestroyTargetRequest;
import io.daosmesh.model.wire.ContainerDroppedMessage;
import io.daosmesh.model.wire.LogCommand;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Has destroyed containers dropped by every rank that may hold data of them, while this node leads the pool's service: at
 * once by those that serve, later by those that were away, before their space is missed or their data seen again. Owner:
 * management loop.
 */
final class ContainerCleaner {
    private static final Duration DROP_MAX = Duration.ofSeconds(10);
    /** A rank that failed to drop one container is asked for the others later. */
    private static final Duration PAUSE = Duration.ofSeconds(3);

    private static final int AT_ONCE_MAX = 16;

    private final NodeContext node;
    private final PoolService service;
    private final Set<UUID> underWay = new HashSet<>();
    private final Map<Integer, Long> notBeforeNs = new HashMap<>();

    ContainerCleaner(NodeContext node, PoolService service) {
        this.node = node;
        this.service = service;
    }

    void review(GroupMap members) {
        Map<UUID, Set<Integer>> held = service.replica().read(PoolDb::heldContainers);
        long nowNs = System.nanoTime();
        held.forEach((container, ranks) -> {
            if (underWay.size() >= AT_ONCE_MAX || underWay.contains(container)) return;
            List<Member> there = ranks.stream()
                    .flatMap(r -> members.member(r).stream())
                    .filter(m -> m.state().isInGroup())
                    .filter(m -> nowNs - notBeforeNs.getOrDefault(m.rank(), nowNs) >= 0)
                    .toList();
            if (!there.isEmpty()) drop(container, there);
        });
    }

    private void drop(UUID container, List<Member> members) {
        underWay.add(container);
        ContainerDestroyTargetRequest request = ContainerDestroyTargetRequest.newBuilder()
                .setPool(Ids.bytes(service.pool()))
                .setContainer(Ids.bytes(container))
                .build();
        Flux.fromIterable(members)
                .flatMap(m -> node.rpc()
                        .call(
                                Endpoint.rank(m.address(), m.rank()),
                                RpcMethod.CONTAINER_DESTROY_TARGET,
                                RpcMessage.of(request),
                                DROP_MAX,
                                r -> m.rank())
                        .onErrorResume(e -> failed(m, container, e)))
                .collectList()
                .filter(dropped -> !dropped.isEmpty())
                .flatMap(dropped -> service.propose(LogCommand.newBuilder()
                        .setContainerDropped(ContainerDroppedMessage.newBuilder()
                                .setContainer(Ids.bytes(container))
                                .addAllRanks(dropped))))
                .publishOn(node.loop().scheduler())
                .doFinally(s -> node.loop().run(() -> underWay.remove(container)))
                .subscribe(ok -> {}, e -> Loop.drop("container " + container + " is not gone yet", e));
    }

    private Mono<Integer> failed(Member m, UUID container, Throwable e) {
        if (FaultException.faultOf(e).code() == FaultCode.NONEXIST) return Mono.just(m.rank());
        Loop.drop("container " + container + " is still on rank " + m.rank(), e);
        node.loop().run(() -> notBeforeNs.put(m.rank(), System.nanoTime() + PAUSE.toNanos()));
        return Mono.empty();
    }
}
