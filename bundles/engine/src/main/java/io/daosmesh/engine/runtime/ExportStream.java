package io.daosmesh.engine.runtime;

import io.daosmesh.engine.migrate.Migration;
import io.daosmesh.engine.runtime.loop.TargetProxy;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.port.EngineMigration;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.FluxSink;

/** Batches of one group, read one by one as the consumer asks for them and as clients of this rank let it. Owner: target loop. */
final class ExportStream {
    private final TargetProxy unit;
    private final Migration.Wanted wanted;
    private final ClientWatch clients;
    private final FluxSink<EngineMigration.Batch> sink;
    private byte[] next = new byte[0];
    private long demand;
    private boolean isReading;
    private boolean isDone;

    ExportStream(TargetProxy unit, Migration.Wanted wanted, ClientWatch clients, FluxSink<EngineMigration.Batch> sink) {
        this.unit = unit;
        this.wanted = wanted;
        this.clients = clients;
        this.sink = sink;
    }

    void start() {
        sink.onRequest(n -> unit.run(t -> {
            demand = demand + n < 0 ? Long.MAX_VALUE : demand + n;
            pump();
        }));
    }

    private void pump() {
        if (isReading || isDone || demand == 0 || sink.isCancelled()) return;
        isReading = true;
        unit.runAfter(clients.pauseBeforeReadNs(), t -> {
            int most = clients.pieceBytes(Migration.BATCH_BYTES_MAX);
            t.export(wanted, next, most, (batch, fault) -> unit.run(same -> onBatch(batch, fault)));
        });
    }

    private void onBatch(Migration.@Nullable Exported batch, @Nullable Fault fault) {
        isReading = false;
        if (batch == null) {
            isDone = true;
            if (fault != null) sink.error(fault.asException());
            return;
        }
        clients.onRead(batch.data().remaining());
        if (sink.isCancelled()) {
            isDone = true;
            batch.onDone().run();
            return;
        }
        byte[] following = batch.next();
        isDone = following == null;
        if (following != null) next = following;
        if (batch.records().isEmpty()) {
            batch.onDone().run();
        } else {
            demand--;
            sink.next(new EngineMigration.Batch(batch.records(), batch.data(), batch.onDone()));
        }
        if (isDone) sink.complete();
        else pump();
    }
}
