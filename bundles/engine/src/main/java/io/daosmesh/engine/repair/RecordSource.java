package io.daosmesh.engine.repair;

import io.daosmesh.engine.migrate.Migration;
import io.daosmesh.engine.migrate.Migration.Exported;
import io.daosmesh.engine.read.Fetched;
import io.daosmesh.engine.read.Reads;
import io.daosmesh.engine.shard.ShardAddress;
import io.daosmesh.engine.shard.TargetContext;
import io.daosmesh.engine.turn.Answer;
import io.daosmesh.engine.vos.VosRecord;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.wire.FetchRequest;
import io.daosmesh.model.wire.MigratedRecordMessage;
import io.daosmesh.model.wire.ObjectAddress;
import io.daosmesh.model.wire.ValueMessage;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Gives the bytes of a record to a holder that cannot read its own: those of the very record, or, where aggregation has
 * put extents together otherwise than there, what the array shows in its place now. Owner: target loop.
 */
public final class RecordSource {
    private final TargetContext context;
    private final Migration migration;
    private final Reads reads;

    public RecordSource(TargetContext context, Migration migration, Reads reads) {
        this.context = context;
        this.migration = migration;
        this.reads = reads;
    }

    /** As {@link Migration#record}; NONEXIST also when the array ends before. Holes come as zeros: the asker knows what it had. */
    public void record(ShardAddress a, int target, MigratedRecordMessage wanted, Answer<Exported> answer) {
        migration.record(a, wanted, (exported, fault) -> {
            boolean isElsewhere = fault != null && fault.code() == FaultCode.NONEXIST;
            if (!isElsewhere || wanted.getKind() != VosRecord.EXTENT) answer.answer(exported, fault);
            else shown(a.toWire(target), wanted, answer);
        });
    }

    private void shown(ObjectAddress address, MigratedRecordMessage wanted, Answer<Exported> answer) {
        FetchRequest request = FetchRequest.newBuilder()
                .setAddress(address)
                .setDkey(wanted.getDkey())
                .addValues(ValueMessage.newBuilder()
                        .setAkey(wanted.getAkey())
                        .setKind(1)
                        .setOffset(wanted.getOffset())
                        .setLength(wanted.getLength()))
                .setEpoch(context.host().hlcNow())
                .build();
        reads.fetch(request, (fetched, fault) -> answer(wanted, fetched, fault, answer));
    }

    private static void answer(
            MigratedRecordMessage wanted, @Nullable Fetched fetched, @Nullable Fault fault, Answer<Exported> answer) {
        if (fetched == null) {
            answer.answer(null, fault);
        } else if (fetched.data().remaining() == wanted.getLength()) {
            answer.answer(new Exported(List.of(wanted), fetched.data(), fetched.onDone(), null), null);
        } else {
            fetched.onDone().run();
            answer.refuse(Fault.of(FaultCode.NONEXIST, "no such record"));
        }
    }
}
