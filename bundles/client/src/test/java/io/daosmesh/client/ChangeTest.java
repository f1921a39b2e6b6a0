package io.daosmesh.client;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.client.value.Expected;
import io.daosmesh.client.value.KeyChange;
import io.daosmesh.client.value.Outcome;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.id.ObjectId;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Versions, atomic changes, and what is known when they fail. */
@Timeout(60)
class ChangeTest {
    private static final byte[] A = KeyValue.utf8("a");
    private static final byte[] B = KeyValue.utf8("b");

    private final FakeCluster cluster = new FakeCluster(1);
    private final Meddler way = new Meddler(cluster);
    private KeyValue kv;
    /** The same object, by another client. */
    private KeyValue others;

    @BeforeEach
    void open() {
        Pool pool = Blocking.get(Blocking.get(DaosClient.connect(way.config())).connectPool("tank"));
        Container container = Blocking.get(pool.createContainer(ContainerSpec.of("c")));
        ObjectClass.Named oneGroup =
                new ObjectClass.Named(container.defaultClass().objectClass(), 1);
        ObjectId id = Blocking.get(container.newId(ObjectId.Type.KEY_VALUE, oneGroup));
        kv = container.keyValue(id);
        Pool again =
                Blocking.get(Blocking.get(DaosClient.connect(cluster.config())).connectPool("tank"));
        others = Blocking.get(again.openContainer("c")).keyValue(id);
    }

    private static byte[] bytes(int i) {
        return new byte[] {(byte) i};
    }

    private static FaultException failure(Runnable call) {
        return assertThrows(FaultException.class, call::run);
    }

    @Test
    void shouldCompareAndSet() {
        assertEquals(Optional.empty(), Blocking.find(kv.getVersioned(A)));
        long first = Blocking.get(kv.put(A, bytes(1), KeyValue.ABSENT));
        assertEquals(first, Blocking.get(kv.getVersioned(A)).version());
        long second = Blocking.get(kv.put(A, bytes(2), first));
        assertTrue(second > first);

        FaultException late = failure(() -> Blocking.get(kv.put(A, bytes(3), first)));
        assertEquals(FaultCode.TX_RESTART, late.code());
        assertEquals(Outcome.NOT_DONE, Outcome.of(late));
        assertEquals(
                FaultCode.TX_RESTART,
                failure(() -> Blocking.get(kv.put(A, bytes(3), KeyValue.ABSENT)))
                        .code());
        assertEquals(
                FaultCode.TX_RESTART,
                failure(() -> Blocking.run(kv.remove(A, first))).code());
        assertArrayEquals(bytes(2), Blocking.get(kv.get(A)));
        Blocking.run(kv.remove(A, second));
        assertEquals(Optional.empty(), Blocking.find(kv.get(A)));
    }

    @Test
    void shouldChangeSeveralKeysOrNone() {
        long first = Blocking.get(kv.change(List.of(
                KeyValue.putting(A, bytes(1), Expected.absent()), KeyValue.putting(B, bytes(2), Expected.anything()))));

        List<KeyChange> swap = List.of(
                KeyChange.remove(A, KeyValue.version(first)), KeyValue.putting(B, bytes(1), KeyValue.version(first)));
        Blocking.get(kv.change(swap));
        assertEquals(Optional.empty(), Blocking.find(kv.get(A)));
        assertArrayEquals(bytes(1), Blocking.get(kv.get(B)));
        List<KeyChange> impossible = List.of(
                KeyValue.putting(A, bytes(9), Expected.absent()), KeyValue.putting(B, bytes(9), Expected.absent()));
        assertEquals(
                FaultCode.EXIST,
                failure(() -> Blocking.get(kv.change(impossible))).code());
        List<KeyChange> nothing = List.of(KeyChange.remove(A, Expected.existing()));
        assertEquals(
                FaultCode.NONEXIST,
                failure(() -> Blocking.get(kv.change(nothing))).code());
        assertEquals(Optional.empty(), Blocking.find(kv.get(A)));
    }

    @Test
    void shouldRefuseWhatNoServerCouldDoAtOnce() {
        KeyValue wide = Blocking.get(
                Blocking.get(Blocking.get(DaosClient.connect(cluster.config())).connectPool("tank"))
                        .openContainer("c")
                        .flatMap(Container::createKeyValue));
        List<KeyChange> many = java.util.stream.IntStream.range(0, 9)
                .mapToObj(i -> KeyChange.remove(bytes(i + 1), Expected.anything()))
                .toList();

        assertTrue(wide.id().groupCount() > 1);
        assertEquals(
                FaultCode.INVAL,
                failure(() -> Blocking.get(wide.change(many.subList(0, 8)))).code());
        assertEquals(
                FaultCode.INVAL, failure(() -> Blocking.get(kv.change(many))).code());
        assertEquals(
                FaultCode.INVAL,
                failure(() -> Blocking.get(kv.change(List.of()))).code());
        Blocking.get(kv.change(many.subList(0, 8)));
    }

    @Test
    void shouldDoItOnceWhenTheAnswerIsLost() {
        way.choose(0, Meddler.Fate.ANSWER_LOST, () -> {});

        long version = Blocking.get(kv.put(A, bytes(1), KeyValue.ABSENT));

        assertTrue(way.wasReached());
        assertEquals(version, Blocking.get(others.getVersioned(A)).version());
        assertEquals(1, cluster.engine.applied);
    }

    /** The first try may still be on its way: that the second is refused says nothing about it. */
    @Test
    void shouldNotCallARefusalCertainAfterALostTry() {
        way.choose(0, Meddler.Fate.LOST, () -> Blocking.run(others.put("a", bytes(7))));

        FaultException e = failure(() -> Blocking.get(kv.put(A, bytes(1), KeyValue.ABSENT)));

        assertEquals(FaultCode.TX_RESTART, e.code());
        assertEquals(Outcome.UNKNOWN, Outcome.of(e));
        assertEquals("unknown", e.fault().argument("outcome").orElseThrow());
    }

    @Test
    void shouldCallARefusalCertainAfterTriesThatWereRefused() {
        cluster.exclude(1);

        FaultException e = failure(() -> Blocking.get(kv.put(A, bytes(1), 12345)));

        assertEquals(FaultCode.TX_RESTART, e.code());
        assertEquals(Outcome.NOT_DONE, Outcome.of(e));
    }

    @Test
    void shouldKnowNothingWithoutAnAnswer() {
        way.choose(0, Meddler.Fate.FAILED_AFTER, () -> {});
        assertEquals(Outcome.UNKNOWN, Outcome.of(failure(() -> Blocking.run(kv.put("a", bytes(1))))));
        for (FaultCode code : List.of(
                FaultCode.TIMEDOUT,
                FaultCode.UNREACH,
                FaultCode.AGAIN,
                FaultCode.INPROGRESS,
                FaultCode.NOSPACE,
                FaultCode.CANCELED,
                FaultCode.IO,
                FaultCode.UNKNOWN)) {
            assertEquals(Outcome.UNKNOWN, Outcome.of(Fault.of(code).asException()), code.name());
        }
        assertEquals(Outcome.UNKNOWN, Outcome.of(new IOException("gone")));
        assertEquals(Outcome.UNKNOWN, Outcome.of(new IllegalStateException("a mistake")));
        for (FaultCode code : List.of(FaultCode.EXIST, FaultCode.NONEXIST, FaultCode.INVAL, FaultCode.BUSY))
            assertEquals(Outcome.NOT_DONE, Outcome.of(Fault.of(code).asException()), code.name());
    }
}
