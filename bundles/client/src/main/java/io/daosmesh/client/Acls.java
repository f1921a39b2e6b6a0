package io.daosmesh.client;

import io.daosmesh.client.request.Handle;
import io.daosmesh.client.request.PoolService;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.AclReply;
import io.daosmesh.model.wire.AclRequest;
import io.daosmesh.model.wire.OwnerRequest;
import java.util.List;
import java.util.UUID;
import reactor.core.publisher.Mono;

/** Access control lists and owners of a pool's containers. Any thread. Containers are named by label or UUID. */
public final class Acls {

    private final PoolService service;
    private final String pool;
    private final Handle handle;

    /** @param handle of the pool */
    Acls(PoolService service, UUID pool, Handle handle) {
        this.service = service;
        this.pool = pool.toString();
        this.handle = handle;
    }

    public Mono<AclReply> get(String container) {
        return ask(container, AclRequest.Op.GET, List.of(), "");
    }

    /** The given entries and no others; INVAL when there is none. */
    public Mono<AclReply> overwrite(String container, List<String> entries) {
        return ask(container, AclRequest.Op.OVERWRITE, entries, "");
    }

    /** The given entries besides, or in place of, those there are. */
    public Mono<AclReply> update(String container, List<String> entries) {
        return ask(container, AclRequest.Op.UPDATE, entries, "");
    }

    /** NONEXIST when no entry speaks of it. */
    public Mono<AclReply> delete(String container, String principal) {
        return ask(container, AclRequest.Op.DELETE, List.of(), principal);
    }

    /** @param user empty = as it is; the same for the group */
    public Mono<Void> setOwner(String container, String user, String group) {
        return Mono.defer(() -> {
            OwnerRequest request = OwnerRequest.newBuilder()
                    .setPool(pool)
                    .setPoolHandle(handle.shown())
                    .setContainer(container)
                    .setUser(user)
                    .setGroup(group)
                    .setRequestId(UUID.randomUUID().toString())
                    .build();
            return service.call(RpcMethod.CONTAINER_OWNER, request, reply -> true)
                    .then();
        });
    }

    private Mono<AclReply> ask(String container, AclRequest.Op operation, List<String> entries, String principal) {
        return Mono.defer(() -> {
            AclRequest request = AclRequest.newBuilder()
                    .setPool(pool)
                    .setPoolHandle(handle.shown())
                    .setContainer(container)
                    .setOp(operation)
                    .addAllEntries(entries)
                    .setPrincipal(principal)
                    .setRequestId(UUID.randomUUID().toString())
                    .build();
            return service.call(RpcMethod.CONTAINER_ACL, request, reply -> AclReply.parseFrom(reply.body()));
        });
    }
}
