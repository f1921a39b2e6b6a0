package io.daosmesh.client.request;

import io.daosmesh.client.value.Write;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.placement.ValueRules;
import io.daosmesh.model.wire.ValueMessage;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;

/** The values of one update as they go out: descriptions with checksums, and the bytes in one piece. Immutable. */
public record Values(List<ValueMessage> descriptions, ByteBuffer bytes, int length) {

    /** Computes every checksum once, however often the update is sent. REC2BIG above {@link ObjectIo#REQUEST_BYTES_MAX}, INVAL by {@link ValueRules}. */
    public static Values of(List<Write> writes) {
        if (writes.isEmpty()) {
            throw Fault.of(FaultCode.INVAL, "an update has at least one value").asException();
        }
        Values values = ofAll(writes);
        ValueRules.check(ValueRules.Use.UPDATE, values.descriptions);
        return values;
    }

    /** Of several keys, each of which has to keep the rules alone; none for a change that only removes. */
    public static Values ofAll(List<Write> writes) {
        long length = 0;
        List<ValueMessage> descriptions = new ArrayList<>(writes.size());
        for (Write write : writes) {
            ByteBuffer data = write.data().duplicate();
            length += data.remaining();
            if (length > ObjectIo.REQUEST_BYTES_MAX) {
                throw Fault.of(FaultCode.REC2BIG, "one update carries at most %d bytes", ObjectIo.REQUEST_BYTES_MAX)
                        .asException();
            }
            descriptions.add(ObjectIo.describe(write.akey(), write.kind(), write.offset(), data.remaining()).toBuilder()
                    .setCrc32C(crc32c(data))
                    .build());
        }
        ObjectIo.checkCount(writes.size());
        return new Values(List.copyOf(descriptions), inOnePiece(writes, (int) length), (int) length);
    }

    private static ByteBuffer inOnePiece(List<Write> writes, int length) {
        if (writes.size() == 1) return writes.get(0).data().duplicate();
        ByteBuffer all = ByteBuffer.allocate(length);
        for (Write write : writes) all.put(write.data().duplicate());
        return all.flip();
    }

    public static int crc32c(ByteBuffer data) {
        CRC32C crc = new CRC32C();
        crc.update(data.duplicate());
        return (int) crc.getValue();
    }
}
