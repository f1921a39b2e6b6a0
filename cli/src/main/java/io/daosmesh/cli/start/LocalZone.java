package io.daosmesh.cli.start;

import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.SimpleTimeZone;
import java.util.TimeZone;

/** The zone in which a tool shows times. Reading the rules of all zones takes longer than most calls need. Main thread. */
public final class LocalZone {
    private LocalZone() {}

    /** The libraries that ask for the zone at their start get UTC: their times are not shown. */
    public static void defer() {
        TimeZone.setDefault(new Utc());
    }

    /** The machine's zone. */
    public static ZoneId get() {
        if (TimeZone.getDefault() instanceof Utc) TimeZone.setDefault(null);
        return ZoneId.systemDefault();
    }

    /** Knows its rules by itself. */
    private static final class Utc extends SimpleTimeZone {
        private static final long serialVersionUID = 1;

        Utc() {
            super(0, "UTC");
        }

        @Override
        public ZoneId toZoneId() {
            return ZoneOffset.UTC;
        }
    }
}
