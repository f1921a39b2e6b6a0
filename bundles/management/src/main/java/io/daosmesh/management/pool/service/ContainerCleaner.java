package io.daosmesh.management.pool.service;

import io.daosmesh.management.loop.Loop;
import io.daosmesh.management.loop.NodeContext;
import io.daosmesh.management.pool.PoolDb;
import io.daosmesh.management.pool.upkeep.DoomedContainers;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.ContainerDestroyTargetRequest;
import io.daosmesh.model.wire.ContainerDroppedMessage;
import io.daosmesh.model.wire.LogCommand;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Has destroyed containers dropped by the ranks that may hold data of them, while this node leads the pool's service, as
 * {@link DoomedContainers} decides. Owner: management loop.
 */
final class ContainerCleaner implements DoomedContainers.Effects {
    private static final Duration DROP_MAX = Duration.ofSeconds(10);

    private final NodeContext node;
    private final PoolService service;
    private final DoomedContainers doomed = new DoomedContainers();

    ContainerCleaner(NodeContext node, PoolService service) {
        this.node = node;
        this.service = service;
    }

    void review(GroupMap members) {
        doomed.review(System.nanoTime(), service.replica().read(PoolDb::heldContainers), members, this);
    }

    @Override
    public void drop(UUID container, List<Member> members) {
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
                .doFinally(s -> node.loop().run(() -> doomed.onDone(container)))
                .subscribe(ok -> {}, e -> Loop.drop("container " + container + " is not gone yet", e));
    }

    private Mono<Integer> failed(Member m, UUID container, Throwable e) {
        if (FaultException.faultOf(e).code() == FaultCode.NONEXIST) return Mono.just(m.rank());
        Loop.drop("container " + container + " is still on rank " + m.rank(), e);
        node.loop().run(() -> doomed.onFailed(System.nanoTime(), m.rank()));
        return Mono.empty();
    }
}
