package io.daosmesh.admin.view;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.wire.DeviceHealthMessage;
import org.junit.jupiter.api.Test;

class HealthViewTest {
    private static DeviceHealthMessage at(int kelvin) {
        return DeviceHealthMessage.newBuilder()
                .setTimestampMs(1)
                .setTemperatureKelvin(kelvin)
                .build();
    }

    @Test
    void shouldSayThatADeviceReportsNoTemperature() {
        assertTrue(HealthView.text(at(0)).contains("  Temperature:N/A\n"), HealthView.text(at(0)));
        assertEquals(0, HealthView.json(at(0)).get("temperature_kelvin"));
        assertTrue(HealthView.text(at(289)).contains("  Temperature:289K(15C)\n"));
    }
}
