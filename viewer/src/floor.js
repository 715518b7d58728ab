// The floor: a half-metre grid that fades into the distance, and a ring at the origin.
import { Color, DoubleSide, Mesh, PlaneGeometry, ShaderMaterial } from "three";

const SIZE_M = 80;

const VERTEX = `
  varying vec3 place;
  varying vec3 seen;
  void main() {
    vec4 world = modelMatrix * vec4(position, 1.0);
    place = world.xyz;
    seen = (viewMatrix * world).xyz;
    gl_Position = projectionMatrix * vec4(seen, 1.0);
  }`;
// A line is one pixel wide at any distance: the distance to it is measured in pixels.
const FRAGMENT = `
  uniform vec3 line;
  uniform vec3 mark;
  uniform float far;
  varying vec3 place;
  varying vec3 seen;
  float lines(float cell, float width) {
    vec2 at = place.xz / cell;
    vec2 covers = fwidth(at);
    vec2 near = abs(fract(at - 0.5) - 0.5) / max(covers, 1e-6);
    vec2 shown = clamp(width - near, 0.0, 1.0) * clamp(1.0 - 2.5 * (covers - 0.15), 0.0, 1.0);
    return max(shown.x, shown.y);
  }
  void main() {
    float radius = length(place.xz);
    float ring = clamp(1.6 - abs(radius - 0.12) / max(fwidth(radius), 1e-6), 0.0, 1.0);
    float grid = max(0.45 * lines(0.5, 1.0), lines(1.0, 1.2));
    float fade = 1.0 - smoothstep(0.35 * far, far, length(seen));
    gl_FragColor = vec4(mix(line, mark, ring), max(grid, ring) * fade);
    #include <colorspace_fragment>
  }`;

export class Floor {
  constructor(scene) {
    const uniforms = { line: { value: new Color() }, mark: { value: new Color() }, far: { value: 10 } };
    this.material = new ShaderMaterial({
      uniforms, vertexShader: VERTEX, fragmentShader: FRAGMENT, transparent: true, depthWrite: false, side: DoubleSide,
    });
    this.mesh = new Mesh(new PlaneGeometry(SIZE_M, SIZE_M), this.material);
    this.mesh.rotation.x = -Math.PI / 2;
    this.mesh.renderOrder = -2; // below everything else that is transparent
    scene.add(this.mesh);
  }

  setColours(line, mark) {
    this.material.uniforms.line.value.set(line);
    this.material.uniforms.mark.value.set(mark);
  }

  setHeight(y) {
    this.mesh.position.y = y;
  }

  /** Keeps the floor under the view's target; its lines stay fixed in the room. */
  lieUnder({ x, z }, eyeM) {
    this.mesh.position.x = x;
    this.mesh.position.z = z;
    this.material.uniforms.far.value = 2 * eyeM + 6;
  }

  destroy() {
    this.mesh.geometry.dispose();
    this.material.dispose();
  }
}
