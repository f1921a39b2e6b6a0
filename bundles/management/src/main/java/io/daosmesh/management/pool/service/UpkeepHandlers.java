package io.daosmesh.management.pool.service;

import io.daosmesh.management.pool.PoolDb;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.pool.RebuildStatus;
import io.daosmesh.model.port.RebuildProgress;
import io.daosmesh.model.release.StoredFormat;
import io.daosmesh.model.rpc.Registrations;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.LogCommand;
import io.daosmesh.model.wire.LogReply;
import io.daosmesh.model.wire.PoolRebuildRequest;
import io.daosmesh.model.wire.PoolRef;
import io.daosmesh.model.wire.PoolUpgradeReply;
import java.util.Optional;
import java.util.function.Supplier;
import reactor.core.publisher.Mono;

/**
 * Upkeep of a pool: stops its rebuild by an administrator's will and lets it go on, raises its layout. Reads and writes do not notice
 * a stopped rebuild: objects that are not moved yet are served from where they are. Any thread. Source: daos-admin facts 11.2.
 */
public final class UpkeepHandlers {
    private final PoolHost pools;
    private final Supplier<Optional<RebuildProgress>> rebuild;

    public UpkeepHandlers(PoolHost pools, Supplier<Optional<RebuildProgress>> rebuild) {
        this.pools = pools;
        this.rebuild = rebuild;
    }

    public void register(Registrations r) {
        r.on(RpcMethod.POOL_REBUILD, PoolRebuildRequest.parser(), this::control);
        r.on(RpcMethod.POOL_UPGRADE, PoolRef.parser(), this::upgrade);
    }

    private Mono<Empty> control(PoolRebuildRequest r) {
        if (r.getOp() == PoolRebuildRequest.Op.UNRECOGNIZED)
            throw Fault.of(
                            FaultCode.INVAL,
                            "unknown operation on a rebuild %s",
                            Integer.toUnsignedString(r.getOpValue()))
                    .asException();
        return Mono.fromSupplier(() -> pools.service(r.getPool()))
                .flatMap(s -> s.read(db -> db.outcome(r.getRequestId()))
                        .flatMap(done -> done.map(Mono::just).orElseGet(() -> propose(s, r))))
                .map(reply -> Empty.getDefaultInstance());
    }

    private Mono<LogReply> propose(PoolService service, PoolRebuildRequest r) {
        Mono<Boolean> checked = r.getOp() == PoolRebuildRequest.Op.STOP
                ? service.read(db -> checkStop(service, db, r.getForce()))
                : Mono.just(true);
        return checked.flatMap(ok -> service.propose(
                LogCommand.newBuilder().setRequestId(r.getRequestId()).setRebuild(r.getOp())));
    }

    private boolean checkStop(PoolService service, PoolDb db, boolean isForced) {
        db.checkStoppable();
        Optional<RebuildProgress> progress = rebuild.get();
        boolean isBusy = progress.map(p -> p.status(service.pool()).state() == RebuildStatus.State.BUSY)
                .orElse(false);
        if (!isBusy && !service.mayRebuild())
            throw Fault.of(FaultCode.NONEXIST, "no rebuild runs: self_heal does not allow it")
                    .remedy("see dmg pool get-prop and dmg system get-prop for self_heal")
                    .asException();
        if (!isForced && progress.filter(p -> p.isFinishing(service.pool())).isPresent())
            throw Fault.of(FaultCode.OP_CANCELED, "all is moved, the end of the rebuild is being committed")
                    .remedy("look again with dmg pool query; if it does not end, use --force")
                    .asException();
        return true;
    }

    /** This release knows one layout: there is nothing to raise, and a pool of a newer release is not touched. */
    private Mono<PoolUpgradeReply> upgrade(PoolRef r) {
        return Mono.fromSupplier(() -> pools.service(r.getPool()))
                .flatMap(s -> s.read(db -> Math.max(1, db.entry().getLayout())))
                .map(layout -> {
                    StoredFormat.POOL_SERVICE.check(layout);
                    return PoolUpgradeReply.newBuilder()
                            .setLayout(layout)
                            .setNewest(PoolDb.LAYOUT)
                            .build();
                });
    }
}
