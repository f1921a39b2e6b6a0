package io.daosmesh.itests.sim.history;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.daosmesh.itests.sim.history.DkeyModel.Kind;
import io.daosmesh.itests.sim.history.DkeyModel.Operation;
import io.daosmesh.itests.sim.history.DkeyModel.State;
import io.daosmesh.itests.sim.history.DkeyModel.Value;
import java.util.List;
import org.junit.jupiter.api.Test;

class DkeyModelTest {
    private static final byte[] A = {0};
    private static final byte[] B = {0, (byte) 0xff};
    private final DkeyModel model = new DkeyModel();

    private State after(Operation... all) {
        State s = model.initial();
        for (Operation o : all) {
            s = model.apply(s, o, false);
            assertNotNull(s);
        }
        return s;
    }

    private static Operation update(Value... values) {
        return new Operation(Kind.UPDATE, List.of(values));
    }

    private boolean finds(State s, Value v) {
        return model.apply(s, new Operation(Kind.FETCH, List.of(v)), false) != null;
    }

    private static byte[] bytes(int... of) {
        byte[] b = new byte[of.length];
        for (int i = 0; i < of.length; i++) b[i] = (byte) of[i];
        return b;
    }

    @Test
    void shouldReadHolesAsZerosAndEndWithTheLastByte() {
        State s = after(update(Value.of(A, true, 0, bytes(1, 2)), Value.of(A, true, 4, bytes(5))));

        assertEquals(true, finds(s, Value.range(A, true, 0, 100).found(bytes(1, 2, 0, 0, 5), false)));
        assertEquals(true, finds(s, Value.range(A, true, 3, 2).found(bytes(0, 5), false)));
        assertEquals(true, finds(s, Value.range(A, true, 9, 2).found(bytes(), false)));
        assertEquals(false, finds(s, Value.range(A, true, 0, 100).found(bytes(1, 2), false)));
        assertEquals(true, finds(s, Value.range(B, true, 0, 100).found(bytes(), true)));
    }

    @Test
    void shouldTakeTheLaterOfTwoValuesForOnePlace() {
        State s = after(update(Value.of(A, true, 0, bytes(1, 1, 1)), Value.of(A, true, 1, bytes(2))));

        assertEquals(true, finds(s, Value.range(A, true, 0, 3).found(bytes(1, 2, 1), false)));
    }

    @Test
    void shouldForgetWhatIsPunched() {
        State s = after(
                update(
                        Value.of(A, true, 0, bytes(1, 2, 3)),
                        Value.of(A, false, 0, bytes(9)),
                        Value.of(B, false, 0, bytes())),
                new Operation(Kind.PUNCH_EXTENTS, List.of(Value.range(A, true, 1, 7))));

        assertEquals(true, finds(s, Value.range(A, true, 0, 9).found(bytes(1), false)));
        assertEquals(true, finds(s, Value.range(B, false, 0, 0).found(bytes(), false)));
        State t = model.apply(s, new Operation(Kind.PUNCH_AKEYS, List.of(Value.range(A, false, 0, 0))), false);
        assertEquals(true, finds(t, Value.range(A, false, 0, 0).found(bytes(), true)));
        assertEquals(model.initial(), model.apply(t, new Operation(Kind.PUNCH_DKEY, List.of()), false));
        assertNull(model.apply(
                t, new Operation(Kind.FETCH, List.of(Value.range(B, false, 0, 0).found(bytes(), true))), false));
    }
}
