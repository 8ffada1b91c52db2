// serialport 9's binding class over @serialport/bindings-cpp 10, whose native part comes prebuilt in the package.
// Modem lines fail with ENOTTY on a pseudo-terminal; they are optional there, so that failure is not passed on.
const { autoDetect } = require('@serialport/bindings-cpp');

const binding = autoDetect();

module.exports = class Binding {
  static list() {
    return binding.list();
  }

  constructor(options = {}) {
    this.bindingOptions = options.bindingOptions ?? {};
    this.port = null;
  }

  get isOpen() {
    return this.port !== null;
  }

  async open(path, options) {
    const { baudRate, dataBits, stopBits, parity, rtscts, xon, xoff, xany, hupcl, lock } = options;
    this.port = await binding.open({
      path,
      baudRate,
      dataBits,
      stopBits,
      parity,
      rtscts,
      xon,
      xoff,
      xany,
      hupcl,
      lock,
    });
  }

  async close() {
    const port = this.port;
    this.port = null;
    await port.close();
  }

  async read(buffer, offset, length) {
    const { bytesRead } = await this.port.read(buffer, offset, length);
    return { bytesRead, buffer };
  }

  write(buffer) {
    return this.port.write(buffer);
  }

  update(options) {
    return this.port.update(options);
  }

  set(options) {
    return this.port.set(options).catch(() => {});
  }

  get() {
    return this.port.get();
  }

  getBaudRate() {
    return this.port.getBaudRate();
  }

  flush() {
    return this.port.flush();
  }

  drain() {
    return this.port.drain();
  }
};
