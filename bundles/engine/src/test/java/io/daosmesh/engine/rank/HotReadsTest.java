package io.daosmesh.engine.rank;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.daosmesh.engine.fake.DirectBuffers;
import io.daosmesh.engine.read.Fetched;
import io.daosmesh.engine.shard.ShardAddress;
import io.daosmesh.engine.shard.WriteOp;
import io.daosmesh.engine.vos.VosWriter;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.wire.FetchRequest;
import io.daosmesh.model.wire.ValueMessage;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The value cache beside the slow way: where it answers at all, both answer the same at any moment. */
class HotReadsTest extends TargetFixture {
    private static final String[] DKEYS = {"a", "b", "b2"};
    private static final int[] SIZES = {0, 1, 100, 1024, 1025, 4095, 4096, 5000, 40_000, 64 << 10, (64 << 10) + 1};

    private UUID container = new UUID(2, 2);
    private int version = 1;
    private long lastId;
    private int hits;

    private FetchRequest request(ObjectId oid, String dkey, ValueMessage... asked) {
        return FetchRequest.newBuilder()
                .setAddress(new ShardAddress(pool, container, oid, 0, version).toWire(0))
                .setDkey(ByteString.copyFromUtf8(dkey))
                .addAllValues(List.of(asked))
                .build();
    }

    private static ValueMessage.Builder akey(int kind) {
        return ValueMessage.newBuilder()
                .setAkey(ByteString.copyFromUtf8(kind == 0 ? "v" : "x"))
                .setKind(kind);
    }

    private static ValueMessage extent(long offset, long length) {
        return akey(1).setOffset(offset).setLength(length).build();
    }

    private List<FetchRequest> questions(ObjectId oid, String dkey) {
        return List.of(
                request(oid, dkey, akey(0).build()),
                request(oid, dkey, extent(0, 4096)),
                request(oid, dkey, extent(2000, 100), akey(0).build()));
    }

    private void put(ObjectId oid, String dkey, int kind, long offset, int size) {
        byte[] b = new byte[size];
        new Random(lastId).nextBytes(b);
        ValueMessage v = akey(kind)
                .setOffset(offset)
                .setLength(size)
                .setCrc32C(VosWriter.crc(ByteBuffer.wrap(b)))
                .build();
        change(oid, WriteOp.UPDATE, dkey, List.of(v), b);
    }

    private void change(ObjectId oid, int level, String dkey, List<ValueMessage> values, byte[] bytes) {
        target.write(
                new WriteOp(
                        new ShardAddress(pool, container, oid, 0, version),
                        level,
                        dkey.getBytes(),
                        values,
                        ByteBuffer.wrap(bytes),
                        new WriteOp.Dtx(id(lastId++), 0, 0, false)),
                (epoch, fault) -> {});
    }

    private static String text(@Nullable Fetched f) {
        if (f == null) return "nothing";
        String text = f.values() + " " + VosWriter.crc(f.data()) + " " + f.mapVersion();
        f.onDone().run();
        return text;
    }

    /** What the slow way answers at this very moment; "nothing" when it refuses or waits. */
    private String slow(FetchRequest r) {
        List<String> out = new ArrayList<>(1);
        target.fetch(r, (v, f) -> out.add(text(v)));
        return out.isEmpty() ? "nothing" : out.get(0);
    }

    private void compare(boolean fills) {
        for (ObjectId oid : List.of(single, twice)) {
            for (String dkey : DKEYS) {
                for (FetchRequest r : questions(oid, dkey)) {
                    Fetched hot = target.hotFetch(r);
                    if (hot != null) {
                        hits++;
                        assertEquals(slow(r), text(hot));
                    } else if (fills) {
                        slow(r);
                    }
                }
            }
        }
    }

    private void step(Random random) {
        ObjectId oid = random.nextBoolean() ? single : twice;
        String dkey = DKEYS[random.nextInt(DKEYS.length)];
        switch (random.nextInt(16)) {
            case 0, 1 -> put(oid, dkey, 0, 0, SIZES[random.nextInt(SIZES.length)]);
            case 2 -> put(oid, dkey, 1, random.nextInt(5000), 1 + random.nextInt(5000));
            case 3 -> change(oid, WriteOp.DKEY, dkey, List.of(), new byte[0]);
            case 4 -> change(oid, WriteOp.AKEYS, dkey, List.of(akey(0).build()), new byte[0]);
            case 5 -> change(oid, WriteOp.EXTENTS, dkey, List.of(extent(random.nextInt(4096), 500)), new byte[0]);
            case 6 -> change(oid, WriteOp.OBJECT, "", List.of(), new byte[0]);
            case 7, 8, 9 -> reply(random);
            case 10 -> loop.holdsCommits = !loop.holdsCommits;
            case 11 -> pass(random.nextInt(3) == 0 ? 30_000_000_000L : 100_000_000L);
            case 12 -> leases.holds = random.nextInt(4) > 0;
            case 13 -> adoptMap(random);
            default -> drain();
        }
    }

    private void reply(Random random) {
        if (replies.isEmpty()) return;
        replies.remove(random.nextInt(replies.size()))
                .done(random.nextInt(5) > 0 ? null : Fault.of(FaultCode.AGAIN, "told to fail"));
    }

    private void pass(long ns) {
        nowNs += ns;
        target.onTick();
        loop.drain();
    }

    private void adoptMap(Random random) {
        if (random.nextInt(4) > 0) return;
        version++;
        target.onMap(map(version, version % 2 == 0 ? TargetState.DOWN : TargetState.UPIN));
    }

    private void drain() {
        loop.drain();
        while (!loop.holdsCommits && loop.hasCommits()) loop.releaseCommit();
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
    void shouldAnswerWhatTheSlowWayAnswersAtAnyMoment(long seed) {
        Random random = new Random(seed);
        start(map(1, TargetState.UPIN));

        for (int i = 0; i < 3000; i++) {
            step(random);
            compare(random.nextBoolean());
        }

        assertTrue(hits > 3000, "hits: " + hits);
        target.destroyContainer(pool, container, f -> {});
        compare(false);
        target.stop(Fault.of(FaultCode.IO, "the end"));
        assertEquals(0, cached.usedBytes());
        assertEquals(0, target.cache().bytes());
    }

    @Test
    void shouldNotAnswerWithoutALeaseOrAMajority() {
        start(map(1, TargetState.UPIN));
        put(twice, "a", 0, 0, 5000);
        loop.drain();
        replies.forEach(r -> r.done(null));
        put(single, "a", 0, 0, 5000);
        loop.drain();
        FetchRequest r = request(twice, "a", akey(0).build());
        FetchRequest alone = request(single, "a", akey(0).build());
        String first = slow(r);
        slow(alone);
        assertEquals(first, text(target.hotFetch(r)));

        leases.holds = false;
        assertNull(target.hotFetch(r));
        leases.holds = true;
        hasMajority = false;
        assertNull(target.hotFetch(alone));

        assertEquals(first, text(target.hotFetch(r)));
        assertNull(target.hotFetch(r.toBuilder().setEpoch(hlc.now()).build()));
    }

    @Test
    void shouldKeepTheBytesOfAReplyThatIsStillBeingSent() {
        start(map(1, TargetState.UPIN));
        put(single, "a", 0, 0, 5000);
        loop.drain();
        FetchRequest r = request(single, "a", akey(0).build());
        String before = slow(r);
        Fetched sending = target.hotFetch(r);
        assertNotNull(sending);

        put(single, "a", 0, 0, 6000);
        loop.drain();

        assertNull(target.hotFetch(r));
        assertTrue(cached.usedBytes() > 0);
        assertEquals(before, text(sending));
        assertEquals(0, cached.usedBytes());
    }

    @Test
    void shouldDropTheOldestThatNobodyAsksForWhenItIsFull() {
        cached = new DirectBuffers(64 << 10);
        target = open();
        start(map(1, TargetState.UPIN));
        FetchRequest hot = request(single, "hot", akey(0).build());
        put(single, "hot", 0, 0, 4096);
        loop.drain();
        slow(hot);
        for (int i = 0; i < 40; i++) {
            put(single, "k" + i, 0, 0, 4096);
            loop.drain();
            slow(request(single, "k" + i, akey(0).build()));
            assertTrue(target.cache().bytes() <= 64 << 10);
            assertNotEquals("nothing", text(target.hotFetch(hot)), "after " + i);
        }

        assertNull(target.hotFetch(request(single, "k0", akey(0).build())));
        assertTrue(target.cache().evictions() > 20);
    }
}
