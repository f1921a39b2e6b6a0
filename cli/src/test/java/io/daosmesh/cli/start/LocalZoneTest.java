package io.daosmesh.cli.start;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.ZoneId;
import java.time.ZoneOffset;
import org.junit.jupiter.api.Test;

class LocalZoneTest {
    @Test
    void shouldShowTheMachinesZoneThoughLibrariesGotUtc() {
        ZoneId here = LocalZone.get();

        LocalZone.defer();

        assertEquals(ZoneOffset.UTC, ZoneId.systemDefault());
        assertEquals(here, LocalZone.get());
        assertEquals(here, ZoneId.systemDefault());
    }
}
