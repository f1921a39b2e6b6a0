package io.daosmesh.model.id;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.daosmesh.model.fault.FaultException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ObjectClassTest {
    @Test
    void shouldResolveGroupsFromTheTargets() {
        assertEquals(3, ObjectClass.parse("RP_2GX").resolveGroups(6));
        assertEquals(1, ObjectClass.parse("rp_3g1").resolveGroups(6));
        assertEquals(6, ObjectClass.parse("SX").resolveGroups(6));
        assertEquals(2, ObjectClass.parse("S2").resolveGroups(6));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "S", "S0", "RP_4G1", "RP_2", "EC_2P1GX", "S99999", "S123456"})
    void shouldRefuseUnknownNames(String name) {
        assertThrows(FaultException.class, () -> ObjectClass.parse(name));
    }

    @Test
    void shouldKeepClassAndGroupsInTheObjectId() {
        ObjectId oid = ObjectId.of(ObjectId.Type.KEY_VALUE, ObjectClass.RP_3, 7, -1, 42);

        assertEquals(ObjectClass.RP_3, oid.objectClass());
        assertEquals(7, oid.groupCount());
        assertEquals(ObjectId.Type.KEY_VALUE, oid.type());
        assertEquals(oid, ObjectId.parse(oid.toString()));
    }
}
