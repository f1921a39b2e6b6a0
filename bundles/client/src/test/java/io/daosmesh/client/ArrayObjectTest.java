package io.daosmesh.client;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ArrayObjectTest {
    private static final int CHUNK = 64;
    private final FakeCluster cluster = new FakeCluster(7);
    private ArrayObject array;

    @BeforeEach
    void open() {
        Pool pool =
                Blocking.get(Blocking.get(DaosClient.connect(cluster.config())).connectPool("tank"));
        Container container = Blocking.get(pool.createContainer(ContainerSpec.posix("c")));
        array = container.array(Blocking.get(container.createArray()).id(), CHUNK);
    }

    @Test
    void shouldReadWhatRandomWritesAndPunchesLeft() {
        cluster.loseMessages(0.05);
        Random random = new Random(7);
        byte[] model = new byte[1500];
        int size = 0;
        for (int i = 0; i < 60; i++) {
            int offset = random.nextInt(1000);
            byte[] data = new byte[1 + random.nextInt(400)];
            random.nextBytes(data);
            if (i % 5 == 4) {
                Blocking.run(array.punch(offset, data.length));
                Arrays.fill(model, offset, offset + data.length, (byte) 0);
                if (offset + data.length >= size) size = Math.min(size, sizeAfterPunch(offset));
            } else {
                Blocking.run(array.write(offset, ByteBuffer.wrap(data)));
                System.arraycopy(data, 0, model, offset, data.length);
                size = Math.max(size, offset + data.length);
            }
        }

        assertArrayEquals(model, bytes(Blocking.get(array.read(0, model.length))));
        byte[] streamed = new byte[777];
        ByteBuffer into = ByteBuffer.wrap(streamed);
        array.stream(100, 777).toStream(1).forEach(into::put);
        assertArrayEquals(Arrays.copyOfRange(model, 100, 877), streamed);
    }

    private static int sizeAfterPunch(int offset) {
        return offset;
    }

    @Test
    void shouldKnowItsSize() {
        assertEquals(0, Blocking.get(array.size()));

        Blocking.run(array.write(10 * CHUNK + 5, ByteBuffer.wrap(new byte[3])));
        assertEquals(10 * CHUNK + 8, Blocking.get(array.size()));

        Blocking.run(array.punch(10 * CHUNK, CHUNK));
        assertEquals(0, Blocking.get(array.size()));

        Blocking.run(array.write(0, ByteBuffer.wrap(new byte[CHUNK])));
        Blocking.run(array.punch(CHUNK - 4, 100));
        assertEquals(CHUNK - 4, Blocking.get(array.size()));
    }

    @Test
    void shouldFindItsEndAmongManyChunks() {
        // every chunk is listed by the fake, also one without bytes
        for (int i = 0; i < 3 * LastChunks.KEPT_MAX; i++)
            Blocking.run(array.write((long) i * CHUNK, ByteBuffer.wrap(new byte[CHUNK])));
        assertEquals(3L * LastChunks.KEPT_MAX * CHUNK, Blocking.get(array.size()));

        Blocking.run(array.punch(10 * CHUNK + 1, 10_000 * CHUNK));

        assertEquals(10 * CHUNK + 1, Blocking.get(array.size()));
    }

    @Test
    void shouldKeepAFewOfManyChunks() {
        List<Long> chunks = new ArrayList<>();
        for (long i = 0; i < 100_000; i++) chunks.add(i * 3);
        Collections.shuffle(chunks, new Random(3));
        LastChunks last = new LastChunks();
        int most = 0;
        for (long chunk : chunks) most = Math.max(most, last.with(chunk).count());

        assertEquals(LastChunks.KEPT_MAX, most);
        assertEquals(299_997, last.descending().get(0));
        assertEquals(299_997 - 3 * (LastChunks.KEPT_MAX - 1), last.smallest());
        assertTrue(last.isCut());
    }

    private static byte[] bytes(ByteBuffer data) {
        byte[] bytes = new byte[data.remaining()];
        data.get(bytes);
        return bytes;
    }
}
