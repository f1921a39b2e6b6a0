package io.daosmesh.spi;

import org.jspecify.annotations.Nullable;

/**
 * A status, the value if the status is OK, and a sentence for the operator.
 *
 * @param value null unless {@code status} is OK
 */
public record DeviceResult<T>(DeviceStatus status, @Nullable T value, String detail) {

    public static <T> DeviceResult<T> ok(T value) {
        return new DeviceResult<>(DeviceStatus.OK, value, "");
    }

    public static <T> DeviceResult<T> failed(DeviceStatus status, String detail) {
        if (status == DeviceStatus.OK) throw new IllegalArgumentException("a failure needs a failing status");
        return new DeviceResult<>(status, null, detail);
    }

    public boolean isOk() {
        return status == DeviceStatus.OK;
    }

    /** The value of an OK result. */
    public T get() {
        T v = value;
        if (v == null) throw new IllegalStateException(status + ": " + detail);
        return v;
    }
}
