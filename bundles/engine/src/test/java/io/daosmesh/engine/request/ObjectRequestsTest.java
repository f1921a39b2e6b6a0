package io.daosmesh.engine.request;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.UnknownFieldSet;
import com.sun.management.ThreadMXBean;
import io.daosmesh.engine.shard.KeyChange;
import io.daosmesh.engine.shard.WriteOp;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.wire.ChangeRequest;
import io.daosmesh.model.wire.DtxBatchRequest;
import io.daosmesh.model.wire.DtxRefMessage;
import io.daosmesh.model.wire.FetchRequest;
import io.daosmesh.model.wire.KeyChangeMessage;
import io.daosmesh.model.wire.ObjectAddress;
import io.daosmesh.model.wire.PunchRequest;
import io.daosmesh.model.wire.UpdateRequest;
import io.daosmesh.model.wire.ValueMessage;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

class ObjectRequestsTest {
    private static final int BODY_BYTES_MAX = 1 << 20;
    /** The library copies a direct buffer once before it reads it; the entries would be thirty times as large. */
    private static final long ALLOCATED_BYTES_MAX = BODY_BYTES_MAX + (64 << 10);

    private static final List<ValueMessage> VALUES = Collections.nCopies(
            WriteOp.VALUES_MAX,
            ValueMessage.newBuilder().setAkey(ByteString.copyFromUtf8("a")).build());

    private interface Reader<T> {
        T read(ByteBuffer body) throws InvalidProtocolBufferException;
    }

    private static <T extends Message> void assertTaken(T request, Reader<T> reader) throws Exception {
        assertEquals(request, reader.read(ByteBuffer.wrap(request.toByteArray())));
    }

    private static void assertRefused(Message request, Reader<?> reader) {
        ByteBuffer body = ByteBuffer.wrap(request.toByteArray());
        FaultException e = assertThrows(FaultException.class, () -> reader.read(body));
        assertEquals(FaultCode.OVERFLOW, e.code());
    }

    @Test
    void shouldTakeTheLargestRequestsThatClientsSend() throws Exception {
        ByteString key = ByteString.copyFrom(new byte[5000]); // KEY2BIG, to be told by the target
        KeyChangeMessage change =
                KeyChangeMessage.newBuilder().setDkey(key).addAllValues(VALUES).build();

        assertTaken(UpdateRequest.newBuilder().setDkey(key).addAllValues(VALUES).build(), ObjectRequests::update);
        assertTaken(FetchRequest.newBuilder().setDkey(key).addAllValues(VALUES).build(), ObjectRequests::fetch);
        assertTaken(PunchRequest.newBuilder().setDkey(key).addAllValues(VALUES).build(), ObjectRequests::punch);
        assertTaken(
                ChangeRequest.newBuilder()
                        .addAllChanges(Collections.nCopies(KeyChange.CHANGES_MAX, change))
                        .build(),
                ObjectRequests::change);
        assertTaken(
                DtxBatchRequest.newBuilder()
                        .addAllDtxs(Collections.nCopies(512, DtxRefMessage.getDefaultInstance()))
                        .build(),
                ObjectRequests::dtxs);
    }

    @Test
    void shouldRefuseOneEntryMore() {
        ValueMessage one = VALUES.get(0);
        KeyChangeMessage change = KeyChangeMessage.newBuilder()
                .addAllValues(VALUES)
                .addValues(one)
                .build();

        assertRefused(
                UpdateRequest.newBuilder().addAllValues(VALUES).addValues(one).build(), ObjectRequests::update);
        assertRefused(
                FetchRequest.newBuilder().addAllValues(VALUES).addValues(one).build(), ObjectRequests::fetch);
        assertRefused(
                PunchRequest.newBuilder().addAllValues(VALUES).addValues(one).build(), ObjectRequests::punch);
        assertRefused(ChangeRequest.newBuilder().addChanges(change).build(), ObjectRequests::change);
        assertRefused(
                ChangeRequest.newBuilder()
                        .addAllChanges(
                                Collections.nCopies(KeyChange.CHANGES_MAX + 1, KeyChangeMessage.getDefaultInstance()))
                        .build(),
                ObjectRequests::change);
        assertRefused(
                DtxBatchRequest.newBuilder()
                        .addAllDtxs(
                                Collections.nCopies(ObjectRequests.DTXS_MAX + 1, DtxRefMessage.getDefaultInstance()))
                        .build(),
                ObjectRequests::dtxs);
    }

    @Test
    void shouldDropFieldsOfOtherReleases() throws Exception {
        UnknownFieldSet odd = UnknownFieldSet.newBuilder()
                .addField(
                        999,
                        UnknownFieldSet.Field.newBuilder()
                                .addLengthDelimited(ByteString.copyFrom(new byte[1000]))
                                .build())
                .build();
        FetchRequest sent = FetchRequest.newBuilder()
                .setAddress(ObjectAddress.newBuilder().setTarget(1).setUnknownFields(odd))
                .setUnknownFields(odd)
                .build();

        FetchRequest got = ObjectRequests.fetch(ByteBuffer.wrap(sent.toByteArray()));

        assertEquals(
                FetchRequest.newBuilder()
                        .setAddress(ObjectAddress.newBuilder().setTarget(1))
                        .build(),
                got);
    }

    /** A body full of two bytes, again and again: all that its method may have. */
    private static ByteBuffer full(int first, int second) {
        ByteBuffer body = ByteBuffer.allocateDirect(BODY_BYTES_MAX);
        while (body.remaining() >= 2) body.put((byte) first).put((byte) second);
        return body.flip();
    }

    private static ByteBuffer inside(int field, ByteBuffer inner) {
        ByteBuffer body = ByteBuffer.allocate(inner.remaining() + 5);
        body.put((byte) (field << 3 | 2));
        int length = inner.remaining();
        for (; length > 127; length >>>= 7) body.put((byte) (length | 0x80));
        return body.put((byte) length).put(inner.duplicate()).flip();
    }

    private static void assertRefusedUnread(ByteBuffer body, Reader<?> reader) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        assertThrows(FaultException.class, () -> reader.read(body)); // classes are loaded
        long before = threads.getCurrentThreadAllocatedBytes();

        FaultException e = assertThrows(FaultException.class, () -> reader.read(body));

        long allocated = threads.getCurrentThreadAllocatedBytes() - before;
        assertEquals(FaultCode.OVERFLOW, e.code());
        assertTrue(allocated < ALLOCATED_BYTES_MAX, () -> allocated + " bytes were allocated for it");
    }

    @Test
    void shouldNotReadListsThatAreTooLong() {
        int values = UpdateRequest.VALUES_FIELD_NUMBER << 3 | 2;
        assertRefusedUnread(full(values, 0), ObjectRequests::update);
        assertRefusedUnread(full(FetchRequest.VALUES_FIELD_NUMBER << 3 | 2, 0), ObjectRequests::fetch);
        assertRefusedUnread(full(PunchRequest.VALUES_FIELD_NUMBER << 3 | 2, 0), ObjectRequests::punch);
        assertRefusedUnread(full(DtxBatchRequest.DTXS_FIELD_NUMBER << 3 | 2, 0), ObjectRequests::dtxs);
        assertRefusedUnread(full(ChangeRequest.CHANGES_FIELD_NUMBER << 3 | 2, 0), ObjectRequests::change);
        int inner = KeyChangeMessage.VALUES_FIELD_NUMBER << 3 | 2;
        assertRefusedUnread(inside(ChangeRequest.CHANGES_FIELD_NUMBER, full(inner, 0)), ObjectRequests::change);
        // one address, said half a million times
        assertRefusedUnread(full(FetchRequest.ADDRESS_FIELD_NUMBER << 3 | 2, 0), ObjectRequests::fetch);
    }

    private static boolean isRefused(Reader<?> reader, ByteBuffer body) {
        try {
            reader.read(body);
            return false;
        } catch (InvalidProtocolBufferException e) {
            return true;
        } catch (FaultException e) {
            return e.code() == FaultCode.OVERFLOW;
        }
    }

    @Test
    void shouldRefuseWhatCannotBeRead() {
        List<Reader<?>> readers = List.of(
                ObjectRequests::update,
                ObjectRequests::fetch,
                ObjectRequests::punch,
                ObjectRequests::change,
                ObjectRequests::enumerate,
                ObjectRequests::dtxs,
                ObjectRequests::resolve);
        // groups in groups, a group that ends, no field at all, a length beyond the end, a number without end
        List<ByteBuffer> bodies = List.of(
                full(0x7b, 0x7b),
                full(0x0c, 0x0c),
                full(0, 0),
                full(-1, -1),
                ByteBuffer.wrap(new byte[] {10, 100}),
                ByteBuffer.wrap(new byte[] {10, -1, -1, -1, -1, -1}),
                ByteBuffer.wrap(new byte[] {0x0e}));
        for (Reader<?> reader : readers) {
            for (ByteBuffer body : bodies) assertTrue(isRefused(reader, body));
        }
        for (ByteBuffer body : bodies) {
            assertTrue(isRefused(ObjectRequests::change, inside(ChangeRequest.CHANGES_FIELD_NUMBER, body)));
        }
    }
}
