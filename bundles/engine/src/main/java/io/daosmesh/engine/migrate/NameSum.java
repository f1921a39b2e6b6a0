package io.daosmesh.engine.migrate;

import io.daosmesh.engine.shard.ShardAddress;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.wire.MigratedRecordMessage;
import io.daosmesh.model.wire.MigratedRecordMessageOrBuilder;
import java.nio.ByteBuffer;
import java.util.UUID;
import java.util.zip.CRC32C;

/**
 * Checksum of what a record that moves is called and where it lies: its value has one, but a whole value under a changed key would
 * be kept as if it belonged there. Pure.
 */
final class NameSum {
    private NameSum() {}

    /** Never 0, which stands for none. */
    static int of(UUID container, ObjectId oid, MigratedRecordMessageOrBuilder m) {
        CRC32C crc = new CRC32C();
        ByteBuffer fixed = ByteBuffer.allocate(7 * Long.BYTES + 4 * Integer.BYTES)
                .putLong(container.getMostSignificantBits())
                .putLong(container.getLeastSignificantBits())
                .putLong(oid.high())
                .putLong(oid.low())
                .putLong(m.getEpoch())
                .putLong(m.getOffset())
                .putLong(m.getLength())
                .putInt(m.getLost() ? ~m.getKind() : m.getKind())
                .putInt(m.getCrc32C())
                .putInt(m.getDkey().size())
                .putInt(m.getAkey().size());
        crc.update(fixed.flip());
        crc.update(m.getDkey().asReadOnlyByteBuffer());
        crc.update(m.getAkey().asReadOnlyByteBuffer());
        for (int i = 0; i < m.getOriginEndCount() && i < m.getOriginEpochCount(); i++) {
            crc.update(fixed.clear()
                    .putInt(m.getOriginEnd(i))
                    .putLong(m.getOriginEpoch(i))
                    .flip());
        }
        int sum = (int) crc.getValue();
        return sum == 0 ? 1 : sum;
    }

    /** CSUM when it changed on its way: another holder, or the same one again, may give it out whole. */
    static void check(ShardAddress a, MigratedRecordMessage m) {
        int told = m.getNameCrc32C();
        // a source of the release before tells none
        if (told != 0 && told != of(a.container(), a.oid(), m))
            throw Fault.of(FaultCode.CSUM, "the name of a record changed on its way")
                    .asException();
    }
}
