package io.daosmesh.itests.mesh.torture;

import io.daosmesh.client.ArrayObject;
import io.daosmesh.client.Container;
import io.daosmesh.client.ContainerSpec;
import io.daosmesh.client.KeyValue;
import io.daosmesh.itests.mesh.MeshClient;
import io.daosmesh.model.id.ObjectId;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** The objects of all classes with their places. Owner: the main thread. */
final class Data {
    private static final int STORES = 4;
    private static final int KEYS = 20;
    private static final int ARRAYS = 2;
    private static final int RANGES = 12;
    private static final int CHUNK_BYTES = 1 << 18;
    /** The first and the last of each go to the log and to a device. */
    private static final List<List<Integer>> LENGTHS = List.of(
            List.of(40, 300, 1_500),
            List.of(100, 700),
            List.of(64, 2_000, 5_000),
            List.of(4_096, 9_000, 17_000),
            List.of(100, 70_000),
            List.of(90_000, 150_000));

    private final MeshClient writer;
    private final MeshClient reader;
    private final Journal journal;
    private final SplittableRandom random;
    private final long seed;
    private final List<Place> places = new ArrayList<>();
    private final List<Shelf> shelves = new ArrayList<>();

    Data(MeshClient writer, MeshClient reader, Journal journal, long seed) {
        this.writer = writer;
        this.reader = reader;
        this.journal = journal;
        this.seed = seed;
        this.random = new SplittableRandom(seed);
    }

    /** In a container for each class. */
    void make(String pool, String run) {
        for (Promise promise : Promise.values()) {
            ContainerSpec spec =
                    ContainerSpec.of(run + "-" + promise.objectClass()).withClass(promise.objectClass());
            Container own = writer.container(pool, spec);
            Container other = reader.container(pool, spec);
            for (int i = 0; i < STORES; i++) {
                KeyValue store = MeshClient.await(own.createKeyValue());
                shelf(promise, store, other.keyValue(store.id()));
            }
            for (int i = 0; i < ARRAYS; i++) {
                ObjectId id = MeshClient.await(own.newId(ObjectId.Type.ARRAY, own.defaultClass()));
                ranges(promise, own.array(id, CHUNK_BYTES), other.array(id, CHUNK_BYTES));
            }
        }
    }

    private void shelf(Promise promise, KeyValue own, KeyValue other) {
        List<Place> entries = new ArrayList<>();
        for (int k = 0; k < KEYS; k++) {
            List<Integer> lengths = LENGTHS.get(random.nextInt(LENGTHS.size()));
            entries.add(
                    place(promise, new Spot.Entry(own, "key" + k, lengths), new Spot.Entry(other, "key" + k, lengths)));
        }
        shelves.add(new Shelf(promise, own, List.copyOf(entries), journal));
    }

    /** Side by side, so that what is not written of one would be seen in its neighbour; none in two chunks. */
    private void ranges(Promise promise, ArrayObject own, ArrayObject other) {
        long at = random.nextInt(1000);
        for (int r = 0; r < RANGES; r++) {
            int bytes = Content.BYTES_MIN + random.nextInt(random.nextInt(4) == 0 ? 100_000 : 6_000);
            if (at % CHUNK_BYTES + bytes > CHUNK_BYTES) at = (at / CHUNK_BYTES + 1) * CHUNK_BYTES;
            place(promise, new Spot.Range(own, at, bytes), new Spot.Range(other, at, bytes));
            at += bytes;
        }
    }

    private Place place(Promise promise, Spot own, Spot other) {
        Place p = new Place(promise, own, other, new Content(seed, places.size()), journal);
        places.add(p);
        return p;
    }

    List<Place> places() {
        return places;
    }

    List<Shelf> shelves() {
        return shelves;
    }

    /** Of the lane with this number. */
    List<Place> places(int lane, int lanes) {
        List<Place> own = new ArrayList<>();
        for (int i = lane; i < places.size(); i += lanes) own.add(places.get(i));
        return own;
    }
}
