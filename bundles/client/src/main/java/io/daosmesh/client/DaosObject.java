package io.daosmesh.client;

import com.google.protobuf.ByteString;
import io.daosmesh.client.request.ObjectIo;
import io.daosmesh.client.value.Condition;
import io.daosmesh.client.value.Extent;
import io.daosmesh.client.value.Fetched;
import io.daosmesh.client.value.KeyChange;
import io.daosmesh.client.value.Read;
import io.daosmesh.client.value.Write;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.placement.Placement;
import io.daosmesh.model.wire.EnumerateReply;
import io.daosmesh.model.wire.EnumerateRequest;
import io.daosmesh.model.wire.PunchRequest;
import java.util.List;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * An object as the store has it: dkeys with akeys with values. Any thread. Calls end with a {@code FaultException}; updates
 * and punches are carried out at most once however often they had to be sent.
 */
public final class DaosObject {
    /** Groups listed or removed side by side. */
    private static final int GROUPS_AT_ONCE = 8;

    private static final int PUNCH_OBJECT = 0;
    private static final int PUNCH_DKEY = 1;
    private static final int PUNCH_AKEYS = 2;

    private static final int LIST_DKEYS = 0;
    private static final int LIST_AKEYS = 1;
    private static final int LIST_EXTENTS = 2;

    private final ObjectIo io;
    private final ObjectId id;

    DaosObject(ObjectIo io, ObjectId id) {
        this.io = io;
        this.id = id;
    }

    public ObjectId id() {
        return id;
    }

    /** Writes values of one dkey, all or nothing. At most 8 MiB together (REC2BIG). */
    public Mono<Void> update(byte[] dkey, List<Write> writes, Condition condition) {
        return io.update(id, dkey, writes, condition);
    }

    /**
     * Changes up to eight dkeys, all or none, each only if it is as expected; they have to belong to one group, as those of
     * an object of one group always do (INVAL). EXIST, NONEXIST or TX_RESTART when a key is not as expected.
     *
     * @return the version of the values that were written. After a change of the group's leader it may be one that no value
     *     has: then comparing with it fails, and the value is to be read
     */
    public Mono<Long> change(List<KeyChange> changes) {
        return io.change(id, changes);
    }

    /** Reads values of one dkey, in the order asked. */
    public Mono<List<Fetched>> fetch(byte[] dkey, List<Read> reads) {
        return io.fetch(id, dkey, reads);
    }

    /** Removes the whole object: group by group, each of them at once. */
    public Mono<Void> punch() {
        PunchRequest request = PunchRequest.newBuilder().setLevel(PUNCH_OBJECT).build();
        return Flux.range(0, id.groupCount())
                .flatMap(group -> io.punch(id, group, request), GROUPS_AT_ONCE)
                .then();
    }

    public Mono<Void> punchDkey(byte[] dkey, Condition condition) {
        return punch(dkey, PunchRequest.newBuilder().setLevel(PUNCH_DKEY).setDkey(ObjectIo.key(dkey)), condition);
    }

    public Mono<Void> punchAkeys(byte[] dkey, List<byte[]> akeys, Condition condition) {
        PunchRequest.Builder request =
                PunchRequest.newBuilder().setLevel(PUNCH_AKEYS).setDkey(ObjectIo.key(dkey));
        for (byte[] akey : akeys) request.addValues(ObjectIo.describe(akey, Write.Kind.SINGLE, 0, 0));
        return punch(dkey, request, condition);
    }

    /** Removes bytes of an array akey: they read as a hole. */
    public Mono<Void> punchExtent(byte[] dkey, byte[] akey, Extent extent) {
        PunchRequest.Builder request = PunchRequest.newBuilder()
                .setLevel(ObjectIo.PUNCH_EXTENTS)
                .setDkey(ObjectIo.key(dkey))
                .addValues(ObjectIo.describe(akey, Write.Kind.ARRAY, extent.offset(), extent.length()));
        return punch(dkey, request, Condition.NONE);
    }

    private Mono<Void> punch(byte[] dkey, PunchRequest.Builder request, Condition condition) {
        PunchRequest description = request.setCondition(condition.toWire()).build();
        return io.punch(id, Placement.groupOf(id, dkey), description);
    }

    /** All dkeys, in no order, at the consumer's pace; keys written meanwhile may or may not appear. */
    public Flux<byte[]> listDkeys() {
        EnumerateRequest request =
                EnumerateRequest.newBuilder().setKind(LIST_DKEYS).build();
        return Flux.range(0, id.groupCount())
                .flatMap(group -> pages(group, request).concatMapIterable(EnumerateReply::getKeysList), GROUPS_AT_ONCE)
                .map(ByteString::toByteArray);
    }

    public Flux<byte[]> listAkeys(byte[] dkey) {
        EnumerateRequest request = EnumerateRequest.newBuilder()
                .setKind(LIST_AKEYS)
                .setDkey(ObjectIo.key(dkey))
                .build();
        return pages(Placement.groupOf(id, dkey), request)
                .concatMapIterable(EnumerateReply::getKeysList)
                .map(ByteString::toByteArray);
    }

    /** Extents of an array akey that hold bytes, by rising offset. */
    public Flux<Extent> listExtents(byte[] dkey, byte[] akey) {
        EnumerateRequest request = EnumerateRequest.newBuilder()
                .setKind(LIST_EXTENTS)
                .setDkey(ObjectIo.key(dkey))
                .setAkey(ObjectIo.key(akey))
                .build();
        return pages(Placement.groupOf(id, dkey), request)
                .concatMapIterable(EnumerateReply::getExtentsList)
                .map(e -> new Extent(e.getOffset(), e.getLength()));
    }

    /** The next page is fetched when the one before it has been consumed. */
    private Flux<EnumerateReply> pages(int group, EnumerateRequest request) {
        return io.enumerate(id, group, request)
                .expand(page -> page.getEnd() || page.getAnchor().isEmpty()
                        ? Mono.empty()
                        : io.enumerate(
                                id,
                                group,
                                request.toBuilder().setAnchor(page.getAnchor()).build()));
    }
}
