package io.daosmesh.client.request;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.daosmesh.client.value.Read;
import io.daosmesh.client.value.Write;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What engines would refuse is refused before it is sent. */
class ValuesTest {
    private static Write single(String akey, int length) {
        return Write.single(akey.getBytes(), ByteBuffer.allocate(length));
    }

    private static Write array(String akey, long offset, int length) {
        return Write.array(akey.getBytes(), offset, ByteBuffer.allocate(length));
    }

    private static void assertRefused(Write... writes) {
        FaultException e = assertThrows(FaultException.class, () -> Values.of(List.of(writes)));
        assertEquals(FaultCode.INVAL, e.code());
    }

    @Test
    void shouldRefuseWhatOneUpdateCannotKeep() {
        assertRefused(array("a", 0, 10), array("b", 0, 10), array("a", 9, 1));
        assertRefused(array("a", 5, 10), array("a", 5, 10));
        assertRefused(single("a", 1), single("b", 1), single("a", 2));
        assertRefused(single("a", 1), array("a", 0, 1));
        assertRefused(array("a", 3, 0));
        assertRefused(array("a", Long.MAX_VALUE, 1));
        assertRefused(array("a", -1, 1));
        assertRefused(single("", 1));
        assertRefused(
                Collections.nCopies(ObjectIo.VALUES_MAX + 1, single("a", 1)).toArray(new Write[0]));
    }

    @Test
    void shouldTakeNeighboursAndEmptyValues() {
        Values values = Values.of(List.of(array("a", 10, 5), array("a", 0, 10), single("b", 0), array("c", 0, 10)));

        assertEquals(25, values.length());
    }

    @Test
    void shouldRefuseAFetchBeyondTheLastByte() {
        Read beyond = Read.array("a".getBytes(), Long.MAX_VALUE - 1, 2);

        FaultException e = assertThrows(FaultException.class, () -> FetchPlan.of("k".getBytes(), List.of(beyond)));

        assertEquals(FaultCode.INVAL, e.code());
    }
}
