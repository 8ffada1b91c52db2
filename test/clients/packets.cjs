// The `espruino` package's own packet functions against a board: stores a file, gets it back, evaluates an expression.
// Usage: node packets.cjs PATH; prints one line of JSON at the end. Not over tcp://, where the package sends each byte
// above 0x7F as two (UTF-8), and a DATA packet begins with 0x80.
const espruino = require('espruino');

const port = process.argv[2];
const text = Array.from({ length: 300 }, (_, i) => `line ${i}: ${i * i}\n`).join('');

espruino.init(() => {
  const { Serial } = Espruino.Core;
  Espruino.Config.BLUETOOTH_LOW_ENERGY = false;
  Espruino.Config.BLUETOOTH_LOW_ENERGY_DBUS = false;
  // 2: never slowed down to Bluetooth's pace.
  Espruino.Config.SERIAL_THROTTLE_SEND = 2;
  Serial.startListening(() => {});
  Serial.open(
    port,
    async (status) => {
      if (status === undefined) {
        console.error('the port cannot be opened');
        process.exit(1);
      }
      try {
        const connection = Serial.connection;
        await connection.espruinoSendFile('plain.txt', text, { timeout: 5000 });
        await connection.espruinoSendFile('packed.txt', text, { timeout: 5000, c: 1 });
        const plain = await connection.espruinoReceiveFile('plain.txt', { timeout: 5000 });
        const packed = await connection.espruinoReceiveFile('packed.txt', { timeout: 5000 });
        const sum = await connection.espruinoEval('[6*7,{a:"b"}]', { timeout: 5000 });
        console.log(JSON.stringify({ plain: plain === text, packed: packed === text, sum }));
        process.exit(0);
      } catch (error) {
        console.error(error);
        process.exit(1);
      }
    },
    () => {},
  );
});
