package io.daosmesh.model.fault;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.daosmesh.model.wire.FaultMessage;
import org.junit.jupiter.api.Test;

class FaultTest {
    @Test
    void shouldSurviveTheWire() {
        Fault f = Fault.of(FaultCode.STALE, "map of pool %s", "tank")
                .with("have", 41)
                .with("need", 42);

        assertEquals(f, Fault.fromWire(f.toWire()));
        assertEquals("DER_STALE(-2007): map of pool tank {have=41, need=42}", f.message());
    }

    @Test
    void shouldKeepTheNumberOfAnUnknownCode() {
        Fault f = Fault.fromWire(
                FaultMessage.newBuilder().setCode(9999).setText("new").build());

        assertEquals(FaultCode.UNKNOWN, f.code());
        assertEquals("9999", f.argument("code").orElseThrow());
    }

    @Test
    void shouldGiveEveryCodeARemedy() {
        for (FaultCode c : FaultCode.values()) assertFalse(c.remedy().isBlank(), c.name());
    }
}
