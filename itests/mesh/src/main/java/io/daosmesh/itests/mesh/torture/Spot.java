package io.daosmesh.itests.mesh.torture;

import io.daosmesh.client.ArrayObject;
import io.daosmesh.client.KeyValue;
import java.nio.ByteBuffer;
import java.util.List;
import reactor.core.publisher.Mono;

/** Where a value can be put in one object. Any thread. */
interface Spot {
    Mono<Void> write(byte[] value);

    Mono<Void> remove();

    /** Empty when absent. */
    Mono<byte[]> read();

    /** Of the value of a write; what is read must be as long. */
    int length(int number);

    /** A key of a key-value object; values of each length in turn. */
    record Entry(KeyValue store, String key, List<Integer> lengths) implements Spot {
        @Override
        public Mono<Void> write(byte[] value) {
            return store.put(key, value);
        }

        @Override
        public Mono<Void> remove() {
            return store.remove(key);
        }

        @Override
        public Mono<byte[]> read() {
            return store.get(key);
        }

        @Override
        public int length(int number) {
            return lengths.get(number % lengths.size());
        }

        @Override
        public String toString() {
            return "key-value " + store.id() + " key " + key;
        }
    }

    /** A range of bytes of an array, inside one chunk; it is absent where all of it is zero. */
    record Range(ArrayObject array, long offset, int bytes) implements Spot {
        @Override
        public Mono<Void> write(byte[] value) {
            return array.write(offset, ByteBuffer.wrap(value));
        }

        @Override
        public Mono<Void> remove() {
            return array.punch(offset, bytes);
        }

        @Override
        public Mono<byte[]> read() {
            return array.read(offset, bytes).mapNotNull(Range::unlessZero);
        }

        private static byte @org.jspecify.annotations.Nullable [] unlessZero(ByteBuffer data) {
            byte[] bytes = new byte[data.remaining()];
            data.duplicate().get(bytes);
            return Content.isZero(bytes) ? null : bytes;
        }

        @Override
        public int length(int number) {
            return bytes;
        }

        @Override
        public String toString() {
            return "array " + array.id() + " bytes " + offset + " +" + bytes;
        }
    }
}
