package io.daosmesh.itests.mesh.chaos;

import com.fasterxml.jackson.databind.JsonNode;
import io.daosmesh.itests.mesh.chaos.Screen.Answer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;

/** What is said to the system as a whole, and to its hosts. Owner: the thread of the operations. */
final class SystemOperations {
    private static final List<String> KEYS = List.of("site", "rack", "contact");
    private static final List<String> MASKS =
            List.of("ERR", "INFO,mgmt=DEBUG", "DEBUG", "WARN,swim=DEBUG,rebuild=DEBUG");

    private final Screen screen;
    private final Ledger ledger;
    private final Draw draw;

    SystemOperations(Screen screen, Ledger ledger, Draw draw) {
        this.screen = screen;
        this.ledger = ledger;
        this.draw = draw;
    }

    Map<String, BooleanSupplier> kinds() {
        Map<String, BooleanSupplier> kinds = new LinkedHashMap<>();
        kinds.put("system set-attr", this::setAttribute);
        kinds.put("system del-attr", this::removeAttribute);
        kinds.put("system set-prop", this::setProperty);
        kinds.put("system cleanup", this::cleanUp);
        kinds.put("system rebuild stop", () -> said("system rebuild stop", "system", "rebuild", "stop"));
        kinds.put("system rebuild start", () -> said("system rebuild start", "system", "rebuild", "start"));
        kinds.put("storage led identify", this::blink);
        kinds.put("server set-logmasks", this::logMasks);
        return kinds;
    }

    private boolean said(String kind, String... line) {
        return PoolOperations.tried(screen.dmg(kind, line));
    }

    private boolean setAttribute() {
        String key = draw.of(KEYS);
        String value = draw.fresh("v");
        ledger.attributes.of(key).set(value, screen.dmg("system set-attr", "system", "set-attr", key + ":" + value));
        return true;
    }

    private boolean removeAttribute() {
        String key = draw.of(KEYS);
        Setting attribute = ledger.attributes.of(key);
        Set<String> may = attribute.mayBe("") ? Set.of("NONEXIST") : Set.of();
        attribute.set("", screen.dmg("system del-attr", may, "system", "del-attr", key));
        return true;
    }

    private boolean setProperty() {
        String value = Integer.toString(1 + draw.below(1_000));
        Answer answer = screen.dmg("system set-prop", "system", "set-prop", "pool_scrub_thresh:" + value);
        ledger.properties.of("pool_scrub_thresh").set(value, answer);
        return true;
    }

    private boolean cleanUp() {
        return said("system cleanup", "system", "cleanup", draw.mayBe() ? "nowhere" : "localhost");
    }

    private boolean blink() {
        List<JsonNode> devices;
        try {
            devices = screen.devices();
        } catch (IllegalStateException e) {
            return false;
        }
        List<String> line = new ArrayList<>(List.of("storage", "led", "identify"));
        if (draw.mayBe()) line.add("--reset");
        if (!devices.isEmpty()) line.add(draw.of(devices).path("uuid").asText());
        return said("storage led identify", line.toArray(String[]::new));
    }

    private boolean logMasks() {
        List<String> line = new ArrayList<>(List.of("server", "set-logmasks"));
        if (draw.mayBe()) line.add(draw.of(MASKS));
        return said("server set-logmasks", line.toArray(String[]::new));
    }
}
