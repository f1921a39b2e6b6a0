package io.daosmesh.rebuild.runtime;

import io.daosmesh.model.port.Maps;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;

/** How fast a rank may pull for each pool: its property {@value #PROPERTY}, MB/s. Owner: rebuild loop. */
final class Rates implements Maps.Listener {
    static final String PROPERTY = "rebuild_rate";

    private static final long MB = 1_000_000;

    private final Loop loop;
    private final Map<UUID, Long> bytesPerSecond = new HashMap<>();

    Rates(Loop loop) {
        this.loop = loop;
    }

    @Override
    public void onPoolProperties(UUID pool, Map<String, String> properties) {
        String rate = properties.getOrDefault(PROPERTY, "0");
        // one of another release that says something else limits nothing
        long mb = rate.matches("[0-9]{1,6}") ? Long.parseLong(rate) : 0;
        loop.run(() -> bytesPerSecond.put(pool, mb * MB));
    }

    @Override
    public void onPoolGone(UUID pool) {
        loop.run(() -> bytesPerSecond.remove(pool));
    }

    /** 0 = no limit. */
    long of(UUID pool) {
        return bytesPerSecond.getOrDefault(pool, 0L);
    }
}
