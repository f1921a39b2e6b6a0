package io.daosmesh.client.request;

import io.daosmesh.client.hedge.Hedging;
import io.daosmesh.client.value.Fetched;
import io.daosmesh.client.value.Read;
import io.daosmesh.client.value.Write;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.placement.NameSum;
import io.daosmesh.model.placement.ValueRules;
import io.daosmesh.model.rpc.RpcReply;
import io.daosmesh.model.wire.FetchReply;
import io.daosmesh.model.wire.FetchRequest;
import io.daosmesh.model.wire.ObjectAddress;
import io.daosmesh.model.wire.ValueMessage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** One fetch: what was asked, and how its answer becomes values that can be trusted. Immutable. */
record FetchPlan(FetchRequest template, List<Read> reads) {

    /** About 5 us of checksum. */
    private static final int SHORT_BYTES_MAX = 64 << 10;

    /** Answer of the server, copied out of the transport's buffers. */
    record Answer(List<ValueMessage> values, ByteBuffer bytes) {
        boolean isLong() {
            return bytes.remaining() > SHORT_BYTES_MAX;
        }
    }

    static FetchPlan of(byte[] dkey, List<Read> reads) {
        FetchRequest.Builder request = FetchRequest.newBuilder().setDkey(ObjectIo.key(dkey));
        long wanted = 0;
        for (Read read : reads) {
            if (read.length() < 0 || read.offset() < 0) {
                throw Fault.of(FaultCode.INVAL, "offset %d, length %d", read.offset(), read.length())
                        .asException();
            }
            wanted += read.length();
            request.addValues(ObjectIo.describe(read.akey(), read.kind(), read.offset(), read.length()));
        }
        if (reads.isEmpty() || wanted > ObjectIo.REQUEST_BYTES_MAX) {
            throw Fault.of(
                            FaultCode.INVAL,
                            "a fetch asks for at least one value and at most %d bytes",
                            ObjectIo.REQUEST_BYTES_MAX)
                    .asException();
        }
        ObjectIo.checkCount(reads.size());
        ValueRules.check(ValueRules.Use.FETCH, request.getValuesList());
        return new FetchPlan(request.build(), List.copyOf(reads));
    }

    /** @param epoch 0 = now; else as the leader has given it */
    FetchRequest request(ObjectAddress address, long epoch) {
        return to(address).setEpoch(epoch).build();
    }

    /** Of another replica than the leader, which need not answer. */
    FetchRequest requestOfAny(ObjectAddress address) {
        return to(address).setAnyReplica(true).build();
    }

    private FetchRequest.Builder to(ObjectAddress address) {
        int sum = NameSum.at(address, NameSum.FETCH)
                .dkey(template.getDkey().toByteArray(), template.getValuesList())
                .sum();
        return template.toBuilder().setAddress(address).setNamesCrc32C(sum);
    }

    /** How long it may take is compared with others of its kind. */
    Hedging.Kind kind() {
        long wanted = 0;
        for (Read read : reads) wanted += read.length();
        return wanted > SHORT_BYTES_MAX ? Hedging.Kind.LONG : Hedging.Kind.SHORT;
    }

    /** Runs on a transport thread: only copies. */
    static Answer copy(RpcReply reply) throws IOException {
        FetchReply parsed = FetchReply.parseFrom(reply.body());
        ByteBuffer from = reply.data().duplicate();
        ByteBuffer bytes = ByteBuffer.allocate(from.remaining()).put(from).flip();
        return new Answer(parsed.getValuesList(), bytes);
    }

    /** CSUM when bytes do not fit their checksum; PROTO when the answer does not fit the question. */
    List<Fetched> verified(Answer answer) {
        List<Fetched> all = new ArrayList<>(reads.size());
        ByteBuffer bytes = answer.bytes();
        int next = 0;
        for (int i = 0; i < reads.size(); i++) {
            Read read = reads.get(i);
            // The last read takes the rest: an array may be answered in as many parts as it has extents.
            int end = next;
            while (end < answer.values().size() && belongs(answer, next, end, i)) end++;
            all.add(collect(read, answer.values().subList(next, end), bytes));
            next = end;
        }
        if (next != answer.values().size() || bytes.hasRemaining()) throw unexpected("more values than asked for");
        return all;
    }

    /** Parts of one read follow each other: same akey, and (if the same akey is read again) inside its range. */
    private boolean belongs(Answer answer, int first, int index, int readIndex) {
        if (index == first) return true;
        if (answer.values().size() == reads.size()) return false;
        Read read = reads.get(readIndex);
        ValueMessage part = answer.values().get(index);
        return read.kind() == Write.Kind.ARRAY
                && Arrays.equals(part.getAkey().toByteArray(), read.akey())
                && part.getOffset() >= read.offset()
                && part.getOffset() + part.getLength() <= read.offset() + read.length();
    }

    private static Fetched collect(Read read, List<ValueMessage> parts, ByteBuffer bytes) {
        if (read.kind() == Write.Kind.SINGLE) {
            if (parts.size() != 1) throw unexpected("no answer for a value");
            ValueMessage only = parts.get(0);
            if (only.getAbsent()) return new Fetched(true, ByteBuffer.allocate(0), 0);
            return new Fetched(false, take(only, bytes), only.getVersion());
        }
        boolean isWhole =
                parts.size() == 1 && !parts.get(0).getAbsent() && parts.get(0).getLength() == read.length();
        if (isWhole) return new Fetched(false, take(parts.get(0), bytes), 0);
        ByteBuffer whole = ByteBuffer.allocate(read.length());
        boolean isAbsent = true;
        for (ValueMessage part : parts) {
            if (part.getAbsent()) continue;
            long at = part.getOffset() - read.offset();
            if (at < 0 || at + part.getLength() > read.length()) throw unexpected("a part outside the range asked for");
            whole.put((int) at, take(part, bytes), 0, (int) part.getLength());
            isAbsent = false;
        }
        return new Fetched(isAbsent, whole, 0);
    }

    private static ByteBuffer take(ValueMessage part, ByteBuffer bytes) {
        if (part.getLength() < 0 || part.getLength() > bytes.remaining())
            throw unexpected("fewer bytes than announced");
        ByteBuffer data = bytes.slice(bytes.position(), (int) part.getLength());
        bytes.position(bytes.position() + (int) part.getLength());
        if (Values.crc32c(data) != part.getCrc32C()) {
            throw Fault.of(FaultCode.CSUM, "%d bytes arrived damaged", part.getLength())
                    .asException();
        }
        return data;
    }

    private static RuntimeException unexpected(String what) {
        return Fault.of(FaultCode.PROTO, "answer to a fetch: %s", what).asException();
    }
}
